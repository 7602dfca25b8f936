import { z } from 'zod';
import { normaliseGitlabUrl } from './gitlab-url.ts';
import { isProjectGlob } from './project-globs.ts';
import { parseDuration, parseSize } from './quantities.ts';
import { parseReachRule } from './reach-rule.ts';

// The sections of the file, one schema each, so that one wrong section does not hide what is wrong in another. Each
// schema's error text is what a person reads after "expected".

const wanted = (text: string) => ({ error: text });
const wholeNumber = (least: number, most: number) => {
  const text = `a whole number from ${least} to ${most}`;
  return z.int(text).min(least, text).max(most, text);
};
const size = (least: string) =>
  z.unknown().transform((value, context) => {
    const sizeBytes = parseSize(value);
    if (sizeBytes !== undefined && sizeBytes >= (parseSize(least) ?? 0)) return sizeBytes;
    context.addIssue({ code: 'custom', message: `a size of at least ${least}, such as 512M or 8G` });
    return z.NEVER;
  });
const duration = (leastMs: number, mostMs: number, text: string) =>
  z.unknown().transform((value, context) => {
    const durationMs = parseDuration(value);
    if (durationMs !== undefined && durationMs >= leastMs && durationMs <= mostMs) return durationMs;
    context.addIssue({ code: 'custom', message: text });
    return z.NEVER;
  });

/** How machine kinds are named; the name is also a folder's. */
export const machineNamePattern = /^[a-z0-9][a-z0-9._-]{0,62}$/i;
const imageText = 'the name of an image: lower-case letters, digits, dots and hyphens';
const nameText = 'a name of letters, digits, blanks, dots, hyphens and underscores, 63 at most';
const name = z.string(nameText).regex(/^[\p{L}\p{N}]([\p{L}\p{N} ._-]{0,61}[\p{L}\p{N}._-])?$/u, nameText);

/** A path with `~/` still in it. A credential that stands where its file belongs is refused before it is shown. */
const path = (text: string) =>
  z
    .string(text)
    .min(1, text)
    .max(1000, text)
    .refine((value) => !/^~[^/]|\0|\n/.test(value) && value !== '~', wanted(text))
    .refine((value) => !looksLikeToken(value), wanted(`${text}, and the token in that file`));

/** GitLab's tokens begin with `gl` and a hyphenated kind; see "Token prefixes" in GitLab's documentation. */
export function looksLikeToken(text: string): boolean {
  return /\bgl[a-z]{1,6}-[\w.=-]{8,}|^GR1348941/.test(text);
}

export const lendingSchema = z.object({ enabled: z.boolean('true or false').default(true) }, wanted('a mapping'));

export const capacityHereSchema = z.object(
  {
    cpus: wholeNumber(0, 4096).optional(),
    memory: size('0').optional(),
    disk: size('0').optional(),
    runs: wholeNumber(0, 1000).optional(),
  },
  wanted('a mapping of cpus, memory, disk and runs'),
);

export const keepFreeSchema = z.object(
  { memory: size('0').optional(), disk: size('0').optional() },
  wanted('a mapping of memory and disk'),
);

const reachText = 'a door: registry.lab:5000, or {name: registry.lab, port: 5000, to: "127.0.0.1:8929"}';
const portNumber = wholeNumber(1, 65_535);
export const fullReachSchema = z.object(
  { name: z.string('a host name').max(253), port: portNumber, to: z.string('host:port').max(300) },
  wanted(reachText),
);
export const reachSchema = z
  .union([z.string().max(300), fullReachSchema], wanted(reachText))
  .transform((value, context) => {
    const parsed = parseReachRule(value);
    if (parsed.ok) return parsed.rule;
    context.addIssue({ code: 'custom', message: parsed.expected });
    return z.NEVER;
  });

export const machineSchema = z.object(
  {
    image: z.string(imageText).regex(/^[a-z0-9][a-z0-9.-]{0,62}$/, imageText),
    executor: z.enum(['shell', 'docker'], wanted('shell or docker')).default('shell'),
    cpus: wholeNumber(1, 512),
    memory: size('64M'),
    disk: size('64M'),
    reach: z.array(reachSchema, wanted('a list of doors')).max(50, 'at most 50 doors').nullish(),
    'runner-binary': path('the path of a gitlab-runner binary').nullish(),
    'boot-timeout': duration(10_000, 86_400_000, 'a duration from 10s to 24h, such as 10m').default(600_000),
  },
  wanted('a mapping that describes a machine'),
);

const globText = 'a project path or pattern, such as lab/* or firmware/**';
const glob = z.string(globText).refine(isProjectGlob, wanted(globText));
export const runnerSchema = z.object(
  {
    name,
    'token-file': path('the path of a file that holds the runner token'),
    machine: z.string('the name of a machine'),
    projects: z.array(glob, wanted('a list of project paths or patterns')).max(200, 'at most 200 projects').nullish(),
  },
  wanted('a mapping that describes a runner'),
);

export const connectionSchema = z.object(
  {
    name,
    url: z
      .string('the address of a GitLab instance, such as https://gitlab.example.com')
      .transform((value, context) => {
        const normalised = normaliseGitlabUrl(value);
        if (normalised.ok) return normalised.url;
        context.addIssue({ code: 'custom', message: normalised.expected });
        return z.NEVER;
      }),
    'ca-file': path('the path of a PEM file').nullish(),
  },
  wanted('a mapping that describes a GitLab instance'),
);

export const qemuSchema = path('the path of a qemu-system program').nullish();

import { z } from 'zod';

/** Who has to act: the job's author, the owner of this PC, or whoever runs the GitLab instance. */
export type Blame = 'job' | 'host' | 'gitlab';

/** A stable code, `<room>/<what>`. Screens and tests switch on it, never on the text. */
export const errorCodeSchema = z.string().regex(/^[a-z-]+\/[a-z0-9-]+$/);

/** An error as it crosses a process border. */
export const wireErrorSchema = z.object({
  code: errorCodeSchema,
  message: z.string(),
  /** What a person can do about it, a sentence or two. */
  remedy: z.string(),
});
export type WireError = z.infer<typeof wireErrorSchema>;

export interface BenchErrorOptions {
  remedy: string;
  blame?: Blame;
  cause?: unknown;
}

/**
 * The base of every error this program throws on purpose. Each room derives one class of it whose codes are a
 * union of literals, so that a switch over them is checked.
 */
export class BenchError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly remedy: string;
  /** Decides the failure reason GitLab is told; a guest must not be able to dress its failure up as ours. */
  readonly blame: Blame;

  constructor(code: Code, message: string, options: BenchErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.remedy = options.remedy;
    this.blame = options.blame ?? 'host';
  }
}

/** Turns anything thrown into what a screen can show. An error without a code is a bug of ours and says so. */
export function toWireError(error: unknown): WireError {
  if (error instanceof BenchError) return { code: error.code, message: error.message, remedy: error.remedy };
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: 'internal/unexpected',
    message,
    remedy: 'This is a fault in Forrest Bench. Please report it with the log of the last minutes.',
  };
}

/** An error that came over a border, thrown again on the other side with its code and remedy. */
export function fromWireError(error: WireError): BenchError {
  return new BenchError(error.code, error.message, { remedy: error.remedy });
}

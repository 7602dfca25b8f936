/**
 * Whether a runner may take jobs of a project.
 * @param globs Over whole project paths, case ignored as GitLab does: `*` matches within one segment, `**` across
 * segments. Empty allows every project.
 */
export function isProjectAllowed(globs: readonly string[], projectPath: string): boolean {
  return globs.length === 0 || globs.some((glob) => expression(glob).test(projectPath));
}

/** Whether `text` may stand in `projects:`. */
export function isProjectGlob(text: string): boolean {
  return text.length <= 255 && /^[A-Za-z0-9_.*-]+(\/[A-Za-z0-9_.*-]+)*$/.test(text) && !text.includes('***');
}

function expression(glob: string): RegExp {
  const source = glob
    .split(/(\*{1,2})/)
    .map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${source.join('')}$`, 'i');
}

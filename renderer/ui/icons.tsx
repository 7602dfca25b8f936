/** The product's mark: a tree on a bench. The same drawing as in `resources/icons`. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 22 22" width="22" height="22" aria-hidden="true">
      <path d="M11 1 16 7h-2.5L18 12H4l4.5-5H6z" />
      <path d="M10 12h2v3h-2zM1 15h20v2H1zM4 17h2v4H4zM16 17h2v4h-2z" />
    </svg>
  );
}

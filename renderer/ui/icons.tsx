/** The product's mark: a tree on a bench. The same drawing as `resources/icons/icon.svg`. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      <path d="M12 1.5 17 8h-2.6l3.6 5H6l3.6-5H7z" />
      <path d="M11 13h2v3h-2z" />
      <path d="M2 16h20v2.5H2z" />
      <path d="M4.5 18.5H7V23H4.5zM17 18.5h2.5V23H17z" />
    </svg>
  );
}

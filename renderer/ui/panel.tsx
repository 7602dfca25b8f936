import { type ReactNode, useId } from 'react';

/** A titled part of the window; a landmark by its title. */
export function Panel(props: { title: string; name: string; aside?: ReactNode; children: ReactNode }) {
  const titleId = useId();
  return (
    <section className={`panel panel-${props.name}`} aria-labelledby={titleId}>
      <div className="panel-head">
        <h2 id={titleId}>{props.title}</h2>
        {props.aside !== undefined && <span className="muted small">{props.aside}</span>}
      </div>
      {props.children}
    </section>
  );
}

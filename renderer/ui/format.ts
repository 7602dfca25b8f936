const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** `0 s`, `12 s`, `4 min 05 s`, `1 h 04 min`, `2 d 3 h`: never more than two units, and cut, not rounded. */
export function formatDuration(durationMs: number): string {
  const ms = Math.max(0, durationMs);
  if (ms < minuteMs) return `${Math.floor(ms / secondMs)} s`;
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)} min ${twoDigits(Math.floor((ms % minuteMs) / secondMs))} s`;
  if (ms < dayMs) return `${Math.floor(ms / hourMs)} h ${twoDigits(Math.floor((ms % hourMs) / minuteMs))} min`;
  return `${Math.floor(ms / dayMs)} d ${Math.floor((ms % dayMs) / hourMs)} h`;
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `812 B`, `12.4 KiB`, `8 GiB`: three digits at most after rounding down, none that are zero. */
export function formatBytes(sizeBytes: number): string {
  let value = Math.max(0, sizeBytes);
  let unit = 0;
  while (value >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const shown = value < 100 ? Math.floor(value * 10) / 10 : Math.floor(value);
  return `${shown} ${byteUnits[unit]}`;
}

/** `1,204`, whatever the language of the machine. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-GB');
}

/**
 * Local time of day, with the date when it is not the day of `now`. Both in milliseconds since 1970.
 * @param timeZone An IANA name; the machine's own when left out.
 */
export function formatInstant(at: number, now: number, timeZone?: string): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  const day = (instant: number) => new Date(instant).toLocaleDateString('en-CA', zone);
  const time = new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', ...zone });
  return day(at) === day(now) ? time : `${day(at)} ${time}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

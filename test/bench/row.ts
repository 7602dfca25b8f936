/** One figure of a benchmark. */
export interface Row {
  what: string;
  value: number;
  unit: string;
  /** How it was come by, or what it is held against. */
  note?: string;
}

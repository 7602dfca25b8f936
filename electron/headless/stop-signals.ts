export type StopSignal = 'SIGINT' | 'SIGTERM';

/** The wishes of others that this process should end, one after the other. */
export interface StopSignals {
  /** Resolves with the next signal that nobody has taken yet. */
  next(): Promise<StopSignal>;
}

/** Takes SIGINT and SIGTERM of this process until disposed; then they end it again, as is usual. */
export function processStopSignals(): StopSignals & Disposable {
  const waiting: ((signal: StopSignal) => void)[] = [];
  const untaken: StopSignal[] = [];
  const take = (signal: StopSignal) => {
    const resolve = waiting.shift();
    if (resolve === undefined) untaken.push(signal);
    else resolve(signal);
  };
  const onInterrupt = () => take('SIGINT');
  const onTerminate = () => take('SIGTERM');
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  return {
    next() {
      const signal = untaken.shift();
      return signal === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(signal);
    },
    [Symbol.dispose]() {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
    },
  };
}

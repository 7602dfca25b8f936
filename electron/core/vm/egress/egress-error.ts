import { BenchError } from '../../../contract/errors.ts';

export type EgressErrorCode = 'egress/cannot-listen' | 'egress/too-many-names';

export class EgressError extends BenchError<EgressErrorCode> {}

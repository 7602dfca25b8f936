import { expect, it } from 'vitest';
import { parseQmpMessage, type QmpMessage } from '../../../electron/core/vm/qmp-messages.ts';

const timestamp = '"timestamp": {"seconds": 1795458162, "microseconds": 32967}';
const event = (name: string, data: string) => `{${timestamp}, "event": "${name}", "data": ${data}}`;

// Lines as QEMU 7.2 and 10.0 send them.
it.each<{ line: string; message: QmpMessage }>([
  { line: '{"return": {}, "id": 7}', message: { kind: 'answer', answer: { id: 7, return: {} } } },
  {
    line: '{"id": 4, "error": {"class": "CommandNotFound", "desc": "The command no-such has not been found"}}',
    message: {
      kind: 'answer',
      answer: { id: 4, error: { class: 'CommandNotFound', desc: 'The command no-such has not been found' } },
    },
  },
  {
    line: '{"error": {"class": "GenericError", "desc": "QMP input must be a JSON object"}}',
    message: {
      kind: 'answer',
      answer: { error: { class: 'GenericError', desc: 'QMP input must be a JSON object' } },
    },
  },
  {
    line: event('SHUTDOWN', '{"guest": true, "reason": "guest-panic"}'),
    message: { kind: 'event', event: { name: 'SHUTDOWN', data: { guest: true, reason: 'guest-panic' } } },
  },
  { line: `{${timestamp}, "event": "POWERDOWN"}`, message: { kind: 'event', event: { name: 'POWERDOWN' } } },
  { line: `{${timestamp}, "event": "STOP"}`, message: { kind: 'event', event: { name: 'STOP' } } },
  { line: `{${timestamp}, "event": "RESUME"}`, message: { kind: 'event', event: { name: 'RESUME' } } },
  {
    line: event('RESET', '{"guest": false, "reason": "host-qmp-system-reset"}'),
    message: { kind: 'event', event: { name: 'RESET', data: { guest: false, reason: 'host-qmp-system-reset' } } },
  },
  {
    line: event('GUEST_PANICKED', '{"action": "poweroff", "info": {"type": "hyper-v"}}'),
    message: { kind: 'event', event: { name: 'GUEST_PANICKED', data: { action: 'poweroff' } } },
  },
  {
    line: event('WATCHDOG', '{"action": "reset"}'),
    message: { kind: 'event', event: { name: 'WATCHDOG', data: { action: 'reset' } } },
  },
  {
    line: event(
      'BLOCK_IO_ERROR',
      '{"device": "", "nospace": true, "node-name": "root", "reason": "No space left on device", "operation": "write", "action": "stop"}',
    ),
    message: {
      kind: 'event',
      event: {
        name: 'BLOCK_IO_ERROR',
        data: { operation: 'write', action: 'stop', nospace: true, reason: 'No space left on device' },
      },
    },
  },
  { line: event('NIC_RX_FILTER_CHANGED', '{"path": "/machine"}'), message: { kind: 'other' } },
])('reads $line', ({ line, message }) => {
  expect(parseQmpMessage(line)).toEqual(message);
});

it.each([
  '220 mail.example ESMTP',
  '[]',
  '{}',
  '{"return": {}}',
  '{"return": {}, "id": "7"}',
  event('SHUTDOWN', '{"guest": "yes"}'),
  event('BLOCK_IO_ERROR', '{"operation": "write"}'),
])('refuses %s', (line) => {
  expect(() => parseQmpMessage(line)).toThrow();
});

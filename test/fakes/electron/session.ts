import type {
  CallbackResponse,
  CustomScheme,
  OnBeforeRequestListenerDetails,
  Protocol,
  Session,
  WebRequest,
} from 'electron';
import { schemes } from './schemes.ts';
import { strict } from './strict.ts';

type BeforeRequest = (details: OnBeforeRequestListenerDetails, answer: (response: CallbackResponse) => void) => void;
type SchemeHandler = Parameters<Protocol['handle']>[1];

/** `protocol`: schemes of the app's own. */
class DoubleProtocol implements Pick<Protocol, 'registerSchemesAsPrivileged' | 'handle' | 'isProtocolHandled'> {
  readonly #handlers = new Map<string, SchemeHandler>();
  #isReady = false;

  registerSchemesAsPrivileged(customSchemes: CustomScheme[]): void {
    if (this.#isReady) throw new Error('protocol.registerSchemesAsPrivileged should be called before app is ready');
    for (const { scheme, privileges } of customSchemes) {
      // Only such a scheme is like the https origin that stands for it.
      if (privileges?.standard !== true || privileges.secure !== true) {
        throw new Error(`electron double: only standard and secure schemes are supported, not ${scheme}`);
      }
      schemes.register(scheme);
    }
  }

  handle(scheme: string, handler: SchemeHandler): void {
    if (!this.#isReady) throw new Error('protocol can only be used after app is ready');
    if (this.#handlers.has(scheme)) throw new Error(`Failed to register protocol: ${scheme}`);
    this.#handlers.set(scheme, handler);
  }

  isProtocolHandled(scheme: string): boolean {
    return this.#handlers.has(scheme);
  }

  ready(): void {
    this.#isReady = true;
  }

  handlerOf(url: string): SchemeHandler | undefined {
    return this.#handlers.get(URL.parse(url)?.protocol.slice(0, -1) ?? '');
  }
}

/** `session.defaultSession`: what pages may ask for and fetch. */
class DoubleSession {
  #onPermissionRequest: Parameters<Session['setPermissionRequestHandler']>[0] = null;
  #onPermissionCheck: Parameters<Session['setPermissionCheckHandler']>[0] = null;
  #onBeforeRequest: BeforeRequest | null = null;

  readonly webRequest = strict('webRequest', {
    onBeforeRequest: ((listener: BeforeRequest | null) => {
      this.#onBeforeRequest = listener;
    }) as WebRequest['onBeforeRequest'],
  });

  setPermissionRequestHandler(handler: Parameters<Session['setPermissionRequestHandler']>[0]): void {
    this.#onPermissionRequest = handler;
  }

  setPermissionCheckHandler(handler: Parameters<Session['setPermissionCheckHandler']>[0]): void {
    this.#onPermissionCheck = handler;
  }

  setDevicePermissionHandler(_handler: Parameters<Session['setDevicePermissionHandler']>[0]): void {}

  get permissionRequestHandler() {
    return this.#onPermissionRequest;
  }

  get permissionCheckHandler() {
    return this.#onPermissionCheck;
  }

  /** Whether the app lets a request pass. */
  isAllowed(details: OnBeforeRequestListenerDetails): Promise<boolean> {
    const listener = this.#onBeforeRequest;
    if (listener === null) return Promise.resolve(true);
    return new Promise((resolve) => listener(details, ({ cancel }) => resolve(cancel !== true)));
  }
}

export const protocolDouble = new DoubleProtocol();
export const protocol = strict('protocol', protocolDouble);
export const sessionDouble = new DoubleSession();
export const session = strict('session', { defaultSession: strict('defaultSession', sessionDouble) });

// SHA-256 for the SDK's signatures.
import { createHash, createHmac, createSecretKey, type Hash, type Hmac, type KeyObject } from 'node:crypto';

type SourceData = string | ArrayBuffer | ArrayBufferView;

/** By the bytes they were made of. The SDK keeps the bytes of a day's key. */
const keys = new WeakMap<object, KeyObject>();

/**
 * A hash, or an HMAC with a secret, as the SDK's signer asks for it. The SDK's own class gives Node the bytes of the day's key for each
 * signature: to find out that they are no KeyObject, Node throws and catches an error, which takes many times as long as the HMAC itself.
 */
export class Sha256 {
  readonly #secret: string | KeyObject | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: SourceData) {
    this.#secret = secret === undefined || typeof secret === 'string' ? secret : keyOf(secret);
    this.#hash = this.#begin();
  }

  update(data: SourceData): void {
    this.#hash.update(typeof data === 'string' ? data : bytesOf(data));
  }

  /** To be called once. */
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#begin();
  }

  #begin(): Hash | Hmac {
    return this.#secret ? createHmac('sha256', this.#secret) : createHash('sha256');
  }
}

function keyOf(secret: ArrayBuffer | ArrayBufferView): KeyObject {
  let key = keys.get(secret);
  if (!key) keys.set(secret, (key = createSecretKey(bytesOf(secret))));
  return key;
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

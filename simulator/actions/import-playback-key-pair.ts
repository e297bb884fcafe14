import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { ActionContext } from '../context.ts';
import { conflict, invalid, quotaExceeded } from '../errors.ts';
import type { PlaybackKeyPair } from '../store.ts';
import { name, tags } from '../wire/fields.ts';
import { type Checked, structure, text } from '../wire/shape.ts';
import { keyPairView } from '../wire/views.ts';

export const importPlaybackKeyPairInput = structure({ publicKeyMaterial: text() }, { name, tags });

/** Takes the public half of a P-384 key, in PEM: tokens are signed with ES384. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ImportPlaybackKeyPair.html */
export function importPlaybackKeyPair(
  input: Checked<typeof importPlaybackKeyPairInput>,
  { store, ids, settings }: ActionContext,
) {
  const fingerprint = fingerprintOf(publicKey(input.publicKeyMaterial));
  for (const known of store.playbackKeyPairs.values()) {
    if (known.fingerprint === fingerprint) throw conflict(`The public key was imported before: ${known.arn}`);
  }
  const most = settings.quotas.playbackKeyPairs;
  if (store.playbackKeyPairs.size >= most) {
    throw quotaExceeded(`Quota exceeded: an account can have ${most} playback key pairs`);
  }
  const keyPair: PlaybackKeyPair = {
    seq: store.nextSeq(),
    arn: ids.arn('playback-key', ids.resource()),
    name: input.name ?? '',
    fingerprint,
    tags: new Map(input.tags),
  };
  store.playbackKeyPairs.set(keyPair.arn, keyPair);
  return { keyPair: keyPairView(keyPair) };
}

function publicKey(material: string): KeyObject {
  // createPublicKey would also derive the public half of a private key, which nobody should ever send.
  if (!material.includes('-----BEGIN PUBLIC KEY-----'))
    throw invalid('publicKeyMaterial is not a public key in PEM form');
  let key: KeyObject;
  try {
    key = createPublicKey(material);
  } catch {
    throw invalid('publicKeyMaterial is not a public key in PEM form');
  }
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'secp384r1') {
    throw invalid('publicKeyMaterial is not an ECDSA public key on the curve P-384');
  }
  return key;
}

/** MD5 over the DER form, byte by byte in hexadecimal: `0a:1b:…`. */
function fingerprintOf(key: KeyObject): string {
  const digest = createHash('md5')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
  return (digest.match(/../g) ?? []).join(':');
}

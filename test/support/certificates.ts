// A certificate authority for one test, and server certificates signed by it. Nothing of it is kept. X.509 in DER (RFC 5280), since Node
// can read certificates but not write them, and not every machine has openssl.
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  /** In PEM. */
  readonly certificate: string;
  /** A certificate for names and IPv4 addresses. */
  issue(...hosts: readonly string[]): ServerCertificate;
}

/**
 * Makes an authority with a unique key and name: a process that trusts two with the same name may check a certificate against the wrong
 * one.
 */
export function authority(): Authority {
  const name = `Test authority ${randomBytes(8).toString('hex')}`;
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = signed(name, name, keys.publicKey, keys.privateKey, [basicConstraints(true)]);
  return {
    certificate,
    issue(...hosts) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const names = hosts.map((host) =>
        /^[\d.]+$/.test(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host)),
      );
      const alternativeNames = der(0x30, oid('551d11'), der(0x04, der(0x30, ...names)));
      return {
        cert: signed(hosts[0]!, name, own.publicKey, keys.privateKey, [basicConstraints(false), alternativeNames]),
        key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

function signed(subject: string, issuer: string, key: KeyObject, by: KeyObject, extensions: readonly Buffer[]): string {
  const ecdsaWithSha256 = der(0x30, oid('2a8648ce3d040302'));
  const hour = 3_600_000;
  const content = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    nameOf(issuer),
    der(0x30, time(Date.now() - hour), time(Date.now() + 24 * hour)),
    nameOf(subject),
    key.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...extensions)),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', content, by));
  const base64 = der(0x30, content, ecdsaWithSha256, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x1_00 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const nameOf = (text: string) => der(0x30, der(0x31, der(0x30, oid('550403'), der(0x0c, Buffer.from(text)))));
const time = (ms: number) => der(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)}Z`));
const basicConstraints = (isAuthority: boolean) =>
  der(
    0x30,
    oid('551d13'),
    der(0x01, Buffer.from([0xff])),
    der(0x04, der(0x30, ...(isAuthority ? [der(0x01, Buffer.from([0xff]))] : []))),
  );

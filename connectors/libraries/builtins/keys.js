// Keys of signatures: what a PEM or DER holds (RFC 5280, 5208, 5915, 8017), without the numbers in it.
const { Buffer } = require("buffer");
const OIDS = {
  "2a864886f70d010101": "rsa", "2a864886f70d01010a": "rsa-pss", "2a8648ce3d0201": "ec", "2b6570": "ed25519",
};
const CURVES = { "2a8648ce3d030107": "prime256v1", "2b81040022": "secp384r1", "2b81040023": "secp521r1", "2b8104000a": "secp256k1" };
const fail = (message) => {
  throw Object.assign(new Error(message), { code: "ERR_OSSL_UNSUPPORTED" });
};

/** The parts of a DER value: tag, contents, and the bytes as a whole. */
const parts = (bytes) => {
  const found = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const start = at;
    const tag = bytes[at++];
    let length = bytes[at++];
    if (length > 0x80) {
      let count = length - 0x80;
      if (count > 4) fail("the key cannot be read");
      for (length = 0; count > 0; count--) length = length * 256 + bytes[at++];
    }
    if (!(at + length <= bytes.length)) fail("the key cannot be read");
    found.push({ tag, value: bytes.subarray(at, at + length), whole: bytes.subarray(start, at + length) });
    at += length;
  }
  return found;
};
const inner = (bytes) => {
  const [first] = parts(bytes);
  return first === undefined || first.tag !== 0x30 ? fail("the key cannot be read") : parts(first.value);
};
const hex = (part) => Buffer.from(part.value).toString("hex");
const bits = (integer) => {
  let at = 0;
  while (at < integer.length && integer[at] === 0) at++;
  return at === integer.length ? 0 : (integer.length - at) * 8 - Math.clz32(integer[at]) + 24;
};
const modulus = (der, index) => bits(inner(der)[index]?.value || []);
const kindOf = (algorithm) => {
  const [oid, parameter] = parts(algorithm.value);
  const type = OIDS[hex(oid)] || fail("the kind of key is not supported");
  return { type, curve: type === "ec" ? CURVES[hex(parameter)] || fail("the curve is not supported") : undefined };
};

const ofSpki = (der) => {
  const [algorithm, key] = inner(der);
  const kind = kindOf(algorithm);
  const length = kind.type.startsWith("rsa") ? modulus(key.value.subarray(1), 0) : undefined;
  return { ...kind, is: "public", der, bits: length };
};
const ofPkcs8 = (der) => {
  const [, algorithm, key] = inner(der);
  const kind = kindOf(algorithm);
  const length = kind.type.startsWith("rsa") ? modulus(key.value, 1) : undefined;
  return { ...kind, is: "private", form: "pkcs8", der, bits: length };
};
const ofPkcs1 = (der) => ({ type: "rsa", is: "private", form: "pkcs1", der, bits: modulus(der, 1) });
const ofSec1 = (der) => {
  const named = inner(der).find((part) => part.tag === 0xa0);
  const curve = named && CURVES[hex(parts(named.value)[0])];
  return { type: "ec", is: "private", form: "sec1", der, curve: curve || fail("the curve is not supported") };
};
const ofPublicPkcs1 = (der) => {
  const body = Buffer.concat([Buffer.from([0]), der]);
  const wrap = (tag, bytes) => {
    const size = bytes.length;
    const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
    return Buffer.concat([Buffer.from([tag, ...length]), bytes]);
  };
  const algorithm = Buffer.from("300d06092a864886f70d0101010500", "hex");
  return ofSpki(wrap(0x30, Buffer.concat([algorithm, wrap(0x03, body)])));
};
const ofCertificate = (der) => {
  const fields = parts(inner(der)[0].value);
  const first = fields[0].tag === 0xa0 ? 1 : 0;
  return ofSpki(fields[first + 5].whole);
};

const READERS = {
  "PUBLIC KEY": ofSpki, "RSA PUBLIC KEY": ofPublicPkcs1, CERTIFICATE: ofCertificate, "PRIVATE KEY": ofPkcs8,
  "RSA PRIVATE KEY": ofPkcs1, "EC PRIVATE KEY": ofSec1,
};
const DER = { "private.pkcs8": ofPkcs8, "private.pkcs1": ofPkcs1, "private.sec1": ofSec1, "public.spki": ofSpki, "public.pkcs1": ofPublicPkcs1 };

/** What the text or bytes hold. */
const read = (input, { format, type, is }) => {
  if (format === "der") return (DER[`${is}.${type || (is === "public" ? "spki" : "pkcs8")}`] || fail("the type of key is not known"))(Buffer.from(input));
  const text = typeof input === "string" ? input : Buffer.from(input).toString("latin1");
  const found = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/.exec(text);
  if (found === null) fail("error:1E08010C:DECODER routines::unsupported");
  const reader = READERS[found[1]] || fail(`keys of the kind ${found[1]} are not supported`);
  return reader(Buffer.from(found[2].replace(/\s/g, ""), "base64"));
};
module.exports = { read, ofSpki };

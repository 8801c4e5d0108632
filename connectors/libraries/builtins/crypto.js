// Node's crypto by the host.
const { Transform, Writable } = require("stream");
const { Buffer } = require("buffer");
const keys = require("host-keys");
const wrap = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const bytes = (value, encoding) => {
  if (typeof value === "string") return Buffer.from(value, encoding);
  if (value instanceof KeyObject) return value.export();
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw Object.assign(new TypeError("The data must be a string, Buffer, TypedArray or DataView"), { code: "ERR_INVALID_ARG_TYPE" });
};
const shown = (value, encoding) => (encoding && encoding !== "buffer" ? value.toString(encoding) : value);
const HASHES = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha512-256", "sha3-256", "sha3-384", "sha3-512"];
const hashName = (name) => {
  const plain = String(name).toLowerCase().replace(/^rsa-/, "").replace("sha-", "sha").replace("sha512/", "sha512-");
  if (HASHES.includes(plain)) return plain;
  throw Object.assign(new Error("Digest method not supported"), { code: "ERR_CRYPTO_INVALID_DIGEST" });
};
const HEAD = Symbol("pieces");
class Summing extends Transform {
  [HEAD] = [];
  update(data, encoding) {
    if (this[HEAD] === undefined) throw Object.assign(new Error("Digest already called"), { code: "ERR_CRYPTO_HASH_FINALIZED" });
    this[HEAD].push(Buffer.from(bytes(data, encoding)));
    return this;
  }
  digest(encoding) {
    if (this[HEAD] === undefined) throw Object.assign(new Error("Digest already called"), { code: "ERR_CRYPTO_HASH_FINALIZED" });
    const all = Buffer.concat(this[HEAD]);
    this[HEAD] = undefined;
    return shown(wrap(this.sum(all)), encoding);
  }
  _transform(piece, encoding, done) {
    this.update(piece, encoding);
    done();
  }
  _flush(done) {
    done(null, this.digest());
  }
}
class Hash extends Summing {
  constructor(name) {
    super();
    this.name = hashName(name);
  }
  sum(all) {
    return host.call("digest", this.name, all);
  }
  copy() {
    const copy = new Hash(this.name);
    copy[HEAD] = [...this[HEAD]];
    return copy;
  }
}
class Hmac extends Summing {
  constructor(name, key) {
    super();
    this.name = hashName(name);
    this.key = bytes(key);
  }
  sum(all) {
    return host.call("hmac", this.name, this.key, all);
  }
}

const SECRET = Symbol("key");
class KeyObject {
  constructor(type, held) {
    this[SECRET] = held;
    Object.defineProperty(this, "type", { value: type, enumerable: true });
  }
  get asymmetricKeyType() {
    return this[SECRET].type;
  }
  get asymmetricKeyDetails() {
    const { type, bits, curve } = this[SECRET];
    if (type === "ec") return { namedCurve: curve };
    return type?.startsWith("rsa") ? { modulusLength: bits, publicExponent: 65537n } : {};
  }
  get symmetricKeySize() {
    return this.type === "secret" ? this[SECRET].length : undefined;
  }
  export({ format = this.type === "secret" ? "buffer" : "pem", type } = {}) {
    if (this.type === "secret") return format === "jwk" ? { kty: "oct", k: this[SECRET].toString("base64url") } : Buffer.from(this[SECRET]);
    const { der, form } = this[SECRET];
    if (format === "der") return Buffer.from(der);
    const label = this.type === "public" ? "PUBLIC KEY" : { pkcs1: "RSA PRIVATE KEY", sec1: "EC PRIVATE KEY" }[form] || "PRIVATE KEY";
    const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g).join("\n");
    if (format !== "pem") throw new Error(`keys cannot be exported as ${format}`);
    return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
  }
  equals(other) {
    return this.type === other.type && this.export().toString() === other.export().toString();
  }
  get [Symbol.toStringTag]() {
    return "KeyObject";
  }
}
const described = (input, is) => {
  const given = typeof input === "object" && input !== null && "key" in input ? input : { key: input };
  if (given.passphrase) throw new Error("keys with a passphrase are not supported");
  if (given.key instanceof KeyObject) return given.key[SECRET];
  if (given.format === "jwk") throw new Error("keys as JWK are not supported");
  return keys.read(typeof given.key === "string" ? given.key : bytes(given.key), { ...given, is });
};
const createSecretKey = (key, encoding) => new KeyObject("secret", Buffer.from(bytes(key, encoding)));
const createPrivateKey = (input) => {
  const key = described(input, "private");
  if (key.is !== "private") throw Object.assign(new Error("the key is not private"), { code: "ERR_OSSL_UNSUPPORTED" });
  return new KeyObject("private", key);
};
const createPublicKey = (input) => {
  const key = described(input, "public");
  return new KeyObject("public", key.is === "public" ? key : keys.ofSpki(wrap(host.call("public-key", key.type, key.curve || "", key.der))));
};

const constants = {
  RSA_PKCS1_PADDING: 1, RSA_NO_PADDING: 3, RSA_PKCS1_OAEP_PADDING: 4, RSA_PKCS1_PSS_PADDING: 6, RSA_PSS_SALTLEN_DIGEST: -1,
  RSA_PSS_SALTLEN_MAX_SIGN: -2, RSA_PSS_SALTLEN_AUTO: -2,
};
const schemeOf = (name, key, given) => {
  if (key.type === "ed25519") return "ed25519";
  const hash = hashName(name);
  if (key.type === "ec") return `ecdsa-${hash}-${key.curve}-${given.dsaEncoding === "ieee-p1363" ? "fixed" : "der"}`;
  return `${key.type === "rsa-pss" || given.padding === constants.RSA_PKCS1_PSS_PADDING ? "pss" : "pkcs1"}-${hash}`;
};
const options = (input) => (typeof input === "object" && input !== null && !(input instanceof KeyObject) && !ArrayBuffer.isView(input) ? input : {});
const signed = (name, data, input) => {
  const key = createPrivateKey(input)[SECRET];
  return wrap(host.call("sign", schemeOf(name, key, options(input)), key.form, key.der, data));
};
const verified = (name, data, input, signature) => {
  const key = createPublicKey(input)[SECRET];
  return host.call("verify", schemeOf(name, key, options(input)), key.der, data, signature);
};
class Signing extends Writable {
  constructor(name) {
    super();
    this.name = name;
    this[HEAD] = [];
    hashName(name);
  }
  update(data, encoding) {
    this[HEAD].push(Buffer.from(bytes(data, encoding)));
    return this;
  }
  _write(piece, encoding, done) {
    this.update(piece, encoding);
    done();
  }
}
class Sign extends Signing {
  sign(key, encoding) {
    return shown(signed(this.name, Buffer.concat(this[HEAD]), key), encoding);
  }
}
class Verify extends Signing {
  verify(key, signature, encoding) {
    return verified(this.name, Buffer.concat(this[HEAD]), key, bytes(signature, encoding));
  }
}

class Cipher extends Transform {
  #pieces = [];
  #tag;
  #aad = Buffer.alloc(0);
  constructor(name, key, iv, seals) {
    super();
    this.name = String(name).toLowerCase().replace(/^id-aes(\d+)-gcm$/, "aes-$1-gcm");
    if (!CIPHERS.includes(this.name)) throw Object.assign(new Error("Unknown cipher"), { code: "ERR_CRYPTO_UNKNOWN_CIPHER" });
    this.key = bytes(key);
    this.iv = iv === null || iv === undefined ? Buffer.alloc(0) : bytes(iv);
    this.seals = seals;
  }
  update(data, input, output) {
    this.#pieces.push(Buffer.from(bytes(data, input)));
    return shown(Buffer.alloc(0), output);
  }
  final(output) {
    const sealed = this.name.endsWith("gcm");
    const all = Buffer.concat(this.seals || !sealed ? this.#pieces : [...this.#pieces, this.#tag || Buffer.alloc(0)]);
    let out = wrap(host.call("cipher", this.name, this.seals, this.key, this.iv, this.#aad, all));
    if (sealed && this.seals) {
      this.#tag = out.subarray(out.length - 16);
      out = out.subarray(0, out.length - 16);
    }
    return shown(out, output);
  }
  setAAD(data) {
    this.#aad = Buffer.from(bytes(data));
    return this;
  }
  getAuthTag() {
    return this.#tag;
  }
  setAuthTag(tag) {
    this.#tag = Buffer.from(bytes(tag));
    return this;
  }
  _transform(piece, encoding, done) {
    this.update(piece, encoding);
    done();
  }
  _flush(done) {
    try {
      done(null, this.final());
    } catch (error) {
      done(error);
    }
  }
}
const CIPHERS = [128, 256].flatMap((bits) => ["cbc", "gcm"].map((mode) => `aes-${bits}-${mode}`));

const later = (task, done) => queueMicrotask(() => {
  let value;
  try {
    value = task();
  } catch (error) {
    return done(error);
  }
  return done(null, value);
});
const randomBytes = (size, done) => {
  if (done) return later(() => randomBytes(size), done);
  return wrap(host.call("random", size));
};
const randomFillSync = (into, offset = 0, size = into.byteLength - offset) => {
  new Uint8Array(into.buffer || into, (into.byteOffset || 0) + offset, size).set(host.call("random", size));
  return into;
};
const randomUUID = () => {
  const bytes = randomBytes(16);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
};
const randomInt = (low, high, done) => {
  if (typeof high === "function" || high === undefined) return randomInt(0, low, high);
  if (done) return later(() => randomInt(low, high), done);
  const range = high - low;
  if (!(range > 0 && range <= 2 ** 48 - 1)) throw new RangeError("the range must be from 1 to 2^48 - 1");
  const limit = 2 ** 48 - (2 ** 48 % range);
  for (;;) {
    const drawn = randomBytes(6).readUIntBE(0, 6);
    if (drawn < limit) return low + (drawn % range);
  }
};
const timingSafeEqual = (a, b) => {
  const [left, right] = [bytes(a), bytes(b)];
  if (left.length !== right.length) {
    throw Object.assign(new RangeError("Input buffers must have the same byte length"), { code: "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH" });
  }
  return host.call("equal", left, right);
};
const pbkdf2Sync = (password, salt, iterations, size, hash = "sha1") =>
  wrap(host.call("pbkdf2", hashName(hash), bytes(password), bytes(salt), iterations, size));
const hkdfSync = (hash, key, salt, info, size) => {
  const name = hashName(hash);
  const length = host.call("digest", name, Buffer.alloc(0)).length;
  const secret = host.call("hmac", name, salt.length === 0 ? Buffer.alloc(length) : bytes(salt), bytes(key));
  if (size > 255 * length) throw new RangeError("the key is too long");
  let block = Buffer.alloc(0);
  const out = [];
  for (let count = 1; out.length * length < size; count++) {
    block = wrap(host.call("hmac", name, secret, Buffer.concat([block, bytes(info), Buffer.from([count])])));
    out.push(block);
  }
  const all = Buffer.concat(out).subarray(0, size);
  return all.buffer.slice(all.byteOffset, all.byteOffset + size);
};
const unavailable = (name) => () => {
  throw new Error(`crypto.${name} is not available in functions`);
};

const getRandomValues = (into) => randomFillSync(into);
const digestName = (given) => hashName(typeof given === "string" ? given : given.name);
const exact = (buffer) => buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength);
const subtle = {
  digest: async (name, data) => exact(wrap(host.call("digest", digestName(name), bytes(data)))),
  async importKey(format, data, algorithm, extractable, usages) {
    const name = typeof algorithm === "string" ? algorithm : algorithm.name;
    const of = { HMAC: "raw", "RSASSA-PKCS1-v1_5": "der", ECDSA: "der", "RSA-PSS": "der" }[name];
    if (of === undefined || (of === "raw") !== (format === "raw")) throw new Error(`the key ${name} cannot be imported as ${format}`);
    const held = of === "raw" ? createSecretKey(bytes(data))
      : format === "spki" ? createPublicKey({ key: bytes(data), format: "der", type: "spki" }) : createPrivateKey({ key: bytes(data), format: "der", type: "pkcs8" });
    return { type: held.type, algorithm: { ...(typeof algorithm === "string" ? { name } : algorithm) }, extractable, usages, [SECRET]: held };
  },
  async sign(algorithm, key, data) {
    const { hash, name } = { ...key.algorithm, ...(typeof algorithm === "string" ? {} : algorithm) };
    if (name === "HMAC") return exact(wrap(host.call("hmac", digestName(hash), bytes(key[SECRET]), bytes(data))));
    const padding = name === "RSA-PSS" ? constants.RSA_PKCS1_PSS_PADDING : undefined;
    return exact(signed(digestName(hash), bytes(data), { key: key[SECRET], padding, dsaEncoding: "ieee-p1363" }));
  },
  async verify(algorithm, key, signature, data) {
    const { hash, name } = { ...key.algorithm, ...(typeof algorithm === "string" ? {} : algorithm) };
    if (name === "HMAC") {
      const expected = host.call("hmac", digestName(hash), bytes(key[SECRET]), bytes(data));
      return expected.length === bytes(signature).length && host.call("equal", expected, bytes(signature));
    }
    const padding = name === "RSA-PSS" ? constants.RSA_PKCS1_PSS_PADDING : undefined;
    return verified(digestName(hash), bytes(data), { key: key[SECRET], padding, dsaEncoding: "ieee-p1363" }, bytes(signature));
  },
};
const webcrypto = { subtle, getRandomValues, randomUUID };

module.exports = {
  constants, webcrypto, subtle, getRandomValues, randomUUID, randomInt, randomBytes, pseudoRandomBytes: randomBytes, rng: randomBytes,
  randomFillSync, timingSafeEqual, pbkdf2Sync, hkdfSync, KeyObject, Hash, Hmac, Sign, Verify,
  randomFill: (into, ...rest) => later(() => randomFillSync(into, ...rest.slice(0, -1)), rest.at(-1)),
  createHash: (name) => new Hash(name),
  createHmac: (name, key) => new Hmac(name, key),
  hash: (name, data, encoding = "hex") => new Hash(name).update(data).digest(encoding),
  createSign: (name) => new Sign(name),
  createVerify: (name) => new Verify(name),
  sign: (name, data, key, done) => (done ? later(() => signed(name, bytes(data), key), done) : signed(name, bytes(data), key)),
  verify: (name, data, key, signature) => verified(name, bytes(data), key, bytes(signature)),
  createSecretKey, createPrivateKey, createPublicKey,
  createCipheriv: (name, key, iv) => new Cipher(name, key, iv, true),
  createDecipheriv: (name, key, iv) => new Cipher(name, key, iv, false),
  pbkdf2: (password, salt, iterations, size, hash, done) => later(() => pbkdf2Sync(password, salt, iterations, size, hash), done),
  hkdf: (hash, key, salt, info, size, done) => later(() => hkdfSync(hash, key, salt, info, size), done),
  getHashes: () => HASHES.slice(),
  getCiphers: () => CIPHERS.slice(),
  getFips: () => 0,
};
for (const name of ["scrypt", "scryptSync", "generateKeyPair", "generateKeyPairSync", "publicEncrypt", "publicDecrypt", "privateEncrypt",
  "privateDecrypt", "createDiffieHellman", "createECDH", "createCipher", "createDecipher"]) module.exports[name] = unavailable(name);

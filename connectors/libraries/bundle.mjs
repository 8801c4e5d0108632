// Bundles each library of functions, and each part of Node they use, into one script: the body of a
// CommonJS module as the default export of a function. Run by `cargo x libraries` in a folder where
// package.json is installed; writes `<out>/<name>.js.br` and `<out>/../NOTICE`.
import { build } from "esbuild";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const [source, out] = process.argv.slice(2);
const installed = join(process.cwd(), "node_modules");
const own = (name) => join(source, "builtins", `${name}.js`);

// Parts of Node: ours, packages that are these parts, and small ones out of one file.
const PARTS = {
  ...Object.fromEntries(["buffer", "crypto", "fs", "process", "querystring", "timers", "url", "util", "zlib"].map(
    (name) => [name, `module.exports = require(${JSON.stringify(own(name))})`])),
  ...Object.fromEntries(["abort", "encoding", "keys", "small", "unavailable", "web"].map(
    (name) => [`host-${name}`, `module.exports = require(${JSON.stringify(own(name))})`])),
  http: `module.exports = require("host-web").http`,
  https: `module.exports = require("host-web").https`,
  events: `module.exports = require("events/")`,
  path: `module.exports = require("path-browserify")`,
  punycode: `module.exports = require("punycode/")`,
  stream: `module.exports = require("readable-stream")`,
  string_decoder: `module.exports = require("string_decoder/")`,
  "stream/promises": `module.exports = require("stream").promises`,
  "util/types": `module.exports = require("util").types`,
  "fs/promises": `module.exports = require("fs").promises`,
  "timers/promises": `module.exports = require("timers").promises`,
  constants: `module.exports = {}`,
};
for (const name of ["assert", "os", "async_hooks", "perf_hooks", "diagnostics_channel", "tty"]) PARTS[name] = `module.exports = require("host-small").${name}`;
for (const name of ["net", "tls", "dns", "http2", "child_process", "cluster", "dgram", "module", "readline", "repl", "stream/web", "v8", "vm",
  "stream/web", "worker_threads"]) PARTS[name] = `module.exports = require("host-unavailable")(${JSON.stringify(name)})`;

const same = (name) => `module.exports = require(${JSON.stringify(name)})`;
const usual = (name) => `const made = require(${JSON.stringify(name)}); module.exports = made.default || made`;
const LIBRARIES = {
  archiver: same("archiver"),
  bluebird: same("bluebird"),
  cheerio: same("cheerio"),
  cloudflare: usual("cloudflare"),
  cryptr: usual("cryptr"),
  csv: same("csv"),
  "csv-sync": same("csv/lib/sync"),
  "date-fns": same("date-fns"),
  "fast-xml-parser": same("fast-xml-parser"),
  "form-data": same("form-data"),
  "fuse.js": usual("fuse.js"),
  jsforce: usual("jsforce"),
  jsonwebtoken: same("jsonwebtoken"),
  "libphonenumber-js": same("libphonenumber-js"),
  lodash: same("lodash"),
  "lodash-fp": same("lodash/fp"),
  "mailgun.js": usual("mailgun.js"),
  mime: same("mime"),
  moment: same("moment"),
  "node-fetch": `const made = require("node-fetch"); module.exports = made.default; Object.assign(made.default, made)`,
  "number-to-words": same("number-to-words"),
  oauth: same("oauth"),
  ramda: same("ramda"),
  sendgrid: same("@sendgrid/mail"),
  "sendpulse-api": same("sendpulse-api"),
  slack: same("slack"),
  "promise-parallel-throttle": same("promise-parallel-throttle"),
  twilio: same("twilio"),
  underscore: same("underscore"),
  "underscore.string": same("underscore.string"),
  unzipper: same("unzipper"),
  uuid: same("uuid"),
};
// What a package asks for and can do without: never bundled, and unavailable when it is used.
const LEFT_OUT = ["encoding", "@aws-sdk/client-s3", "supports-color", "debug/src/node", "jsdom", "undici"];
// Node's parser of URLs is here already.
const INSTEAD = { "process/": "process", "whatwg-url": "url", "safe-buffer": "buffer", "abort-controller": "host-abort", qs: "querystring" };

const shims = {
  name: "parts of Node",
  setup(bundling) {
    bundling.onResolve({ filter: /.*/ }, ({ path, kind }) => {
      const plain = path.replace(/^node:/, "");
      if (kind === "entry-point") return undefined;
      if (Object.hasOwn(INSTEAD, plain)) return { path: INSTEAD[plain], external: true };
      if (LEFT_OUT.includes(plain)) return { path: plain, namespace: "left-out" };
      return Object.hasOwn(PARTS, plain) ? { path: plain, external: true } : undefined;
    });
    bundling.onLoad({ filter: /.*/, namespace: "left-out" }, ({ path }) => ({
      contents: `module.exports = require("host-unavailable")(${JSON.stringify(path)})`, resolveDir: source,
    }));
  },
};

const used = new Set();
// Packages tell some classes of Node by their names.
const bundle = async (name, contents, keepsNames) => {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: process.cwd(), sourcefile: "<stdin>" },
    bundle: true, write: false, minifyWhitespace: true, minifySyntax: true, minifyIdentifiers: !keepsNames, metafile: true, charset: "utf8", legalComments: "none",
    format: "cjs", platform: "node", target: "es2023", mainFields: ["main", "module"], conditions: ["node", "require"],
    nodePaths: [installed], plugins: [shims], logLevel: "error",
    inject: name === "process" || name === "timers" ? [] : [join(source, "process-global.js")],
    define: { "process.env.NODE_ENV": '"production"', global: "globalThis" },
    outfile: "bundle.js", absWorkingDir: process.cwd(),
  });
  for (const path of Object.keys(metafile.inputs)) {
    const found = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path.split(sep).join("/"));
    if (found !== null) used.add(path.slice(0, found[0].length));
  }
  // This one assigns to a variable that it does not declare, which modules cannot.
  const declared = name.startsWith("csv") ? "var Generator;" : "";
  const script = `export default function(require,module,exports,host){${declared}${outputFiles[0].text}}`;
  const bytes = Buffer.from(script);
  const packed = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  writeFileSync(join(out, `${name.replace("/", ".")}.js.br`), packed);
  process.stdout.write(`${name}\t${bytes.length}\t${packed.length}\n`);
};

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
for (const [name, contents] of Object.entries(PARTS)) await bundle(name, contents, true);
for (const [name, contents] of Object.entries(LIBRARIES)) await bundle(name, contents, false);

const PERMISSIVE = /^\(?(MIT|Apache-2\.0|BSD-2-Clause|BSD-3-Clause|ISC|0BSD|BlueOak-1\.0\.0|Unlicense|CC0-1\.0)( (OR|AND) .*)?\)?\*?$/i;
const notices = [...used].sort().map((folder) => {
  const { name, version, license, licenses } = JSON.parse(readFileSync(join(folder, "package.json")));
  const kind = typeof license === "string" ? license : (license?.type ?? licenses?.[0]?.type ?? "");
  if (!PERMISSIVE.test(kind)) throw new Error(`${name}@${version}: the licence ${kind} is not a permissive one`);
  const file = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
  const text = file === undefined ? "" : readFileSync(join(folder, file), "utf8").replaceAll("\r", "").trim();
  return `${name}@${version} (${kind})\n\n${/^apache/i.test(kind) ? (text.match(/^ *Copyright (?!\[).*\d{4}.*$/m)?.[0] ?? "").trim() : text}`.trim();
});
const head = "The bundles in this folder hold code of these packages, unchanged but for bundling and minifying.\nThe text of the Apache-2.0 licence is in LICENSE at the root of the repository.";
const unique = [...new Set(notices)];
writeFileSync(join(out, "NOTICE"), `${[head, ...unique].join(`\n\n${"-".repeat(80)}\n\n`)}\n`);

// A certified OAuth server with two clients, and an API that takes its tokens. Prints its port.
//
// | path | what happens |
// |---|---|
// | `/token` | the token endpoint |
// | `/api` | 200 with what the token is for, else 401 |
// | `/grants` | how many tokens were given |
// | `/revoke` | no token given so far is valid any more |

import { createServer } from "node:http";
import { join } from "node:path";

const [tools] = process.argv.slice(2);
const { default: Provider } = await import(join(tools, "node_modules/oidc-provider/lib/index.js"));

const client = (id, method) => ({
  client_id: id,
  client_secret: "a secret: of+40 characters, so that it is long",
  token_endpoint_auth_method: method,
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
});
const server = createServer();
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const { port } = server.address();
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client("app:one", "client_secret_basic"), client("app two", "client_secret_post")],
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  scopes: ["orders:read", "orders:write"],
  ttl: { ClientCredentials: 600 },
});

let grants = 0;
let revoked = new Set();
const given = new Set();
provider.on("client_credentials.saved", (token) => {
  grants += 1;
  given.add(token.jti);
});

const say = (response, status, body) => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
};
server.on("request", async (request, response) => {
  if (request.url === "/grants") return say(response, 200, grants);
  if (request.url === "/revoke") {
    revoked = new Set(given);
    return say(response, 200, revoked.size);
  }
  if (!request.url.startsWith("/api")) return provider.callback()(request, response);
  const bearer = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  const token = await provider.ClientCredentials.find(bearer);
  if (!token || token.isExpired || revoked.has(token.jti)) return say(response, 401, { error: "invalid_token" });
  return say(response, 200, { client: token.clientId, scope: token.scope });
});
console.log(port);

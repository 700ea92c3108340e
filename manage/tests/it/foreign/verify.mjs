// Verifies the tokens that come on standard input, one a line, with npm's jose or aws-jwt-verify.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [library, base, audience] = process.argv.slice(2);
const { resolve } = createRequire(`${process.env.JWT_NODE_MODULES}/package.json`);
const load = (name) => import(pathToFileURL(resolve(name)));
const uri = `${base}/.well-known/jwks.json`;

async function verifier() {
  if (library === "jose") {
    const { createRemoteJWKSet, jwtVerify } = await load("jose");
    const keys = createRemoteJWKSet(new URL(uri));
    return async (token) => (await jwtVerify(token, keys, { issuer: base, audience })).payload;
  }
  const { JwtVerifier } = await load("aws-jwt-verify");
  const { SimpleJwksCache } = await load("aws-jwt-verify/jwk");
  // Its own one takes HTTPS alone.
  const fetcher = { fetch: async (url) => (await fetch(url)).arrayBuffer() };
  const jwksCache = new SimpleJwksCache({ fetcher });
  const made = JwtVerifier.create({ issuer: base, audience, jwksUri: uri }, { jwksCache });
  return (token) => made.verify(token);
}

const verify = await verifier();
for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log("ok", (await verify(line.trim())).sub);
  } catch (error) {
    console.log("refused", error.code ?? error.name);
  }
}

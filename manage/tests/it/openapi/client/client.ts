// What somebody writes who has only the document: openapi-typescript makes the types, and openapi-fetch
// sends the requests. A line after @ts-expect-error must not type-check.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [baseUrl = "", access = ""] = process.argv.slice(2);
const open = createClient<paths>({ baseUrl });
const admin = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${access}` } });
const password = "Kq!wz-Mv%Tn#Yp_Gx";

// Register and log in.
const account = { username: "typed", email: "typed@example.com", password, password2: password };
const made = await open.POST("/api/auth/users/register/", { body: account });
assert.ok(made.data, JSON.stringify(made.error));
const id: number = made.data.id;
const tokens = await open.POST("/api/auth/login/", { body: { username: "typed", password } });
assert.ok(tokens.data);
const user = createClient<paths>({
  baseUrl,
  headers: { Authorization: `Bearer ${tokens.data.access}` },
});

// One's own profile.
const changed = await user.PATCH("/api/auth/users/me/", { body: { first_name: "Ty" } });
const profile: components["schemas"]["User"] | undefined = changed.data;
assert.equal(profile?.first_name, "Ty");

// Groups, by an administrator.
const group = await admin.POST("/api/auth/groups/", { body: { name: "Typed" } });
assert.ok(group.data);
const assigned = await admin.POST("/api/auth/users/{id}/assign_groups/", {
  params: { path: { id } },
  body: { group_ids: [group.data.id] },
});
assert.deepEqual(assigned.data?.groups, [{ id: group.data.id, name: "Typed" }]);
const page = await admin.GET("/api/auth/users/", {
  params: { query: { page_size: 1, search: "typed" } },
});
assert.deepEqual(
  page.data?.map((one) => one.username),
  ["typed"],
);

// What is refused.
const twice = await open.POST("/api/auth/users/register/", { body: account });
assert.ok(twice.error && "username" in twice.error);
const taken: string[] | undefined = twice.error.username;
assert.deepEqual(taken, ["A user with that username already exists."]);
const forbidden = await user.GET("/api/auth/groups/");
assert.equal(forbidden.response.status, 403);
const gone = await admin.DELETE("/api/auth/users/{id}/", { params: { path: { id } } });
assert.equal(gone.response.status, 204);

// Never called: what a client cannot get wrong.
export async function mistakes(): Promise<void> {
  // @ts-expect-error There is no such path.
  await open.GET("/api/auth/nowhere/");
  // @ts-expect-error There is no such method.
  await open.PUT("/api/auth/login/", { body: { username: "a", password: "b" } });
  // @ts-expect-error The password is missing.
  await open.POST("/api/auth/login/", { body: { username: "a" } });
  // @ts-expect-error An id is a number.
  await open.GET("/api/auth/groups/{id}/", { params: { path: { id: "1" } } });
  // @ts-expect-error No answer of this kind has a secret.
  assert.equal(profile?.password, undefined);
}

// The first hour with Caseload, with a client generated from its OpenAPI document: a team, notes,
// queues, a dashboard, and a leaver. The README beside this file says how to run it.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

type Json = "application/json" | "application/problem+json";
type Caseload = Client<paths, Json>;
type Problem = components["schemas"]["Problem"];
type NewUser = components["schemas"]["NewUser"];

/** What a call comes back with: data when it went well, else a problem. */
interface Outcome<Data> {
    data?: Data;
    error?: Problem | undefined;
    response: Response;
}

const baseUrl = process.env["BASE"] ?? "http://127.0.0.1:8080";
const adminEmail = process.env["ADMIN_EMAIL"] ?? "admin@localhost";
const adminPassword = process.env["ADMIN_PASSWORD"];
assert(adminPassword, "ADMIN_PASSWORD must be the password of the first administrator");
const staffPassword = process.env["STAFF_PASSWORD"] ?? randomBytes(16).toString("hex");

// --- Helpers -------------------------------------------------------------------------------------

/** A client whose requests are those of whoever the token belongs to. */
function connect(token?: string): Caseload {
    const client = createClient<paths, Json>({ baseUrl, headers: token ? { Authorization: `Bearer ${token}` } : {} });
    client.use({
        onResponse: ({ request, response }) =>
            console.log(`  ${response.status}  ${request.method.padEnd(5)} ${new URL(request.url).pathname}`),
    });
    return client;
}

/** What came back; a problem is thrown. */
async function good<Data>(call: Promise<Outcome<Data>>): Promise<Data> {
    const { data, error, response } = await call;
    if (data === undefined) {
        throw new Error(`${response.url} answered ${response.status}: ${error?.detail ?? response.statusText}`, { cause: error });
    }
    return data;
}

/** The problem that must come back, with this status and code. */
async function refused(status: number, code: string, call: Promise<Outcome<unknown>>): Promise<Problem> {
    const { error, response } = await call;
    assert(error, `${response.url} answered ${response.status} instead of ${status} ${code}`);
    assert.deepEqual([error.status, error.code], [status, code]);
    return error;
}

/** Signs in. */
async function signIn(email: string, password: string): Promise<Caseload> {
    const { access_token } = await good(connect().POST("/v1/auth/token", { body: { email, password } }));
    return connect(access_token);
}

function heading(text: string): void {
    console.log(`\n${text}`);
}

// --- The team ------------------------------------------------------------------------------------

heading("Sign in");
const admin = await signIn(adminEmail, adminPassword);
assert.equal((await good(admin.GET("/v1/users/me"))).role, "admin");

heading("Groups: Customer Service is there from the first start");
const found = await good(admin.GET("/v1/groups", { params: { query: { key: "customer_service" } } }));
const customerService = found.data[0];
assert(customerService, "Customer Service is not there");
const makeGroup = (name: string) => good(admin.POST("/v1/groups", { body: { name } }));
const shipping = await makeGroup("Shipping");
const finance = await makeGroup("Finance");
const sales = await makeGroup("Sales");

heading("People: two agents and a manager");
const hire = (user: NewUser) => good(admin.POST("/v1/users", { body: { ...user, password: staffPassword } }));
const ana = await hire({ email: "ana@shop.example", name: "Ana Ruiz", role: "agent", time_zone: "Europe/Madrid" });
const ben = await hire({ email: "ben@shop.example", name: "Ben Okafor", role: "agent", time_zone: "Africa/Lagos" });
const claire = await hire({ email: "claire@shop.example", name: "Claire Martin", role: "manager", time_zone: "Europe/Paris" });

heading("Memberships: a group can be given work once somebody is there to do it");
for (const [group, user] of [[customerService, ana], [shipping, ben], [finance, claire], [sales, claire]] as const) {
    await good(admin.PUT("/v1/groups/{id}/members/{user_id}", { params: { path: { id: group.id, user_id: user.id } } }));
}
const asAna = await signIn(ana.email, staffPassword);
const asBen = await signIn(ben.email, staffPassword);
const asClaire = await signIn(claire.email, staffPassword);

// --- Notes and action items ----------------------------------------------------------------------

heading("Ana takes a call about order A-1001: a note and what follows from it, in one request");
const call: components["schemas"]["NewNote"] = {
    subject: { type: "order", id: "A-1001" },
    title: "Customer called and requested rush shipping",
    body: "From: buyer@customer.example\nSubject: Order A-1001\n\nCan it be here by Friday? My card was replaced last week.",
    action_items: [
        {
            title: "Call customer to get correct credit card expiration date",
            due_in: "tomorrow",
            assignee: { type: "user", id: ana.id },
        },
        { title: "Follow up on shipping in 3 weeks", due_in: "in_3_weeks", assignee: { type: "group", id: shipping.id } },
    ],
};
const once = { params: { header: { "Idempotency-Key": "rush-A-1001" } }, body: call };
const first = await good(asAna.POST("/v1/notes", once));
assert.deepEqual(first.action_items.map((item) => item.assignee.type), ["user", "group"]);

heading("The same once more, as after a lost answer: nothing is written twice");
const again = await asAna.POST("/v1/notes", once);
assert.equal(again.data?.id, first.id);
assert.equal(again.response.headers.get("Idempotency-Replayed"), "true");

heading("Notes on a vendor, a product and a domain");
for (const [type, id, title] of [
    ["vendor", "V-17", "Vendor quoted $150 for international shipping"],
    ["product", "P-204", "Two customers asked for a larger size"],
    ["domain", "shop.example", "The certificate was renewed"],
] as const) {
    await good(asAna.POST("/v1/notes", { body: { subject: { type, id }, title } }));
}

heading("An action item for whoever comes first");
const photographs = await good(
    asAna.POST("/v1/action-items", {
        body: {
            subject: { type: "product", id: "P-204" },
            title: "Take new photographs",
            due_in: "today",
            assignee: { type: "public" },
        },
    }),
);

// --- Queues --------------------------------------------------------------------------------------

heading("Ana's queues, and everything in her own");
const queues = await good(asAna.GET("/v1/queues"));
assert.deepEqual(queues.data.map((queue) => queue.key), ["mine", customerService.id, "public"]);
const mine = await good(
    asAna.GET("/v1/queues/{queue}/items", { params: { path: { queue: "mine" }, query: { view: "all" } } }),
);
assert.deepEqual(mine.data.map((item) => item.title), ["Call customer to get correct credit card expiration date"]);

heading("Ben takes the next item of Shipping");
const item = await good(asBen.POST("/v1/queues/{queue}/claim-next", { params: { path: { queue: shipping.id } } }));
assert(item, "the queue of Shipping is empty");
assert.equal(item.assignee.id, ben.id);

heading("Claire is too late, and is told who has it");
const tooLate = await refused(
    409,
    "already_claimed",
    asClaire.POST("/v1/action-items/{id}/claim", { params: { path: { id: item.id } } }),
);
assert.match(JSON.stringify(tooLate["holder"]), /Ben Okafor/);

heading("Ana takes the public item");
await good(asAna.POST("/v1/action-items/{id}/claim", { params: { path: { id: photographs.id } } }));

// --- Working on an item --------------------------------------------------------------------------

heading("Ben completes his item, reopens it, puts it off, and gives it back to Shipping");
const params = { path: { id: item.id } };
assert.equal((await good(asBen.POST("/v1/action-items/{id}/complete", { params }))).status, "completed");
assert.equal((await good(asBen.POST("/v1/action-items/{id}/reopen", { params }))).status, "open");
const later = await good(asBen.POST("/v1/action-items/{id}/snooze", { params, body: { due_in: "in_1_week" } }));
assert.notEqual(later.due_at, item.due_at);
const released = await good(asBen.POST("/v1/action-items/{id}/release", { params }));
assert.equal(released.assignee.id, shipping.id);

heading("Who did what about the order, and when");
const timeline = await good(
    asBen.GET("/v1/subjects/{type}/{id}/timeline", { params: { path: { type: "order", id: "A-1001" } } }),
);
assert(timeline.data.some((entry) => entry.event === "note.created" && entry.actor.name === "Ana Ruiz"));

// --- Oversight -----------------------------------------------------------------------------------

heading("The dashboard is the managers'");
const dashboard = await good(asClaire.GET("/v1/dashboard"));
assert.equal(dashboard.users.length, 4);
await refused(403, "missing_scope", asAna.GET("/v1/dashboard"));

heading("Ana leaves: not while she holds open work");
await refused(
    409,
    "open_work",
    admin.PATCH("/v1/users/{id}", { params: { path: { id: ana.id } }, body: { active: false } }),
);

heading("Offboarding moves it all to Ben; nothing is left without an owner");
const offboarded = await good(
    asClaire.POST("/v1/users/{id}/offboard", {
        params: { path: { id: ana.id } },
        body: { reassign_to: { type: "user", id: ben.id } },
    }),
);
assert.equal(offboarded.reassigned_to.id, ben.id);
assert.deepEqual((await good(asClaire.GET("/v1/reports/orphaned-work"))).data, []);

heading("Done.");

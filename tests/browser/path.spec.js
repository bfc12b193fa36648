// The whole path in a browser, with a real server and the real agent on disposable hosts.
"use strict";
const { test, expect } = require("@playwright/test");
const { expectAccessible, incidentOf, picture, sendReport, signIn } = require("./people.js");
const { open, unable } = require("./stage.js");

const WORK = 60_000; // the host does its part: claim, removal, result, and the survey after it

test.describe.configure({ mode: "serial" });
test.skip(Boolean(unable()), `disposable hosts cannot run here: ${unable()}`);

let stage;
const hosts = {};

test.beforeAll(async () => {
	test.setTimeout(300_000);
	stage = await open();
	for (const name of ["first", "second"]) {
		hosts[name] = await stage.act("boot", { host: name });
		await stage.act("plant", { host: name });
	}
});
test.afterAll(async () => stage?.close());

async function as(browser, login, options = {}) {
	const context = await browser.newContext(options);
	const page = await context.newPage();
	await signIn(page, stage, login);
	return page;
}

test("asks for a sign-in and refuses a wrong password in words", async ({ page }) => {
	await page.goto(`${stage.url}/hosts`);
	await page.getByLabel("User name").fill("tom");
	await page.getByLabel("Password").fill("not the password");
	await page.getByRole("button", { name: "Sign in" }).click();
	await expect(page.getByRole("alert")).toHaveText(/wrong/);
	await expectAccessible(page);
	await page.getByLabel("Password").fill(stage.passwords.tom);
	await page.getByRole("button", { name: "Sign in" }).click();
	await expect(page.getByRole("heading", { name: "Hosts" }), "back to the page asked for").toBeVisible();
});

test("gives a package's edited unit a red cross with the reason", async ({ browser }) => {
	const analyst = await as(browser, "ana");
	await sendReport(analyst, stage, hosts.first, { subject: "A unit of a package was edited", footholds: ["e2scrub_reap.service"] });
	const id = incidentOf(analyst);
	const technician = await as(browser, "tom");
	await technician.goto(`${stage.url}/incidents/${id}`);
	const button = technician.getByRole("button", { name: "Review Remediation Plan" });
	await expect(button).toBeDisabled();
	await picture(technician, "real-cross");
	await expect(technician.locator("#why-not")).toHaveText(/package/);
	await expectAccessible(technician);
});

test("leads from report to approval, spinner, completion and proof without a reload", async ({ browser }) => {
	test.setTimeout(3 * WORK);
	const analyst = await as(browser, "ana");
	const id = await sendReport(analyst, stage, hosts.first, { subject: "sysupdate-check starts again", footholds: ["systemd timer sysupdate-check", "systemd service sysupdate-check", "cron-web"] });

	const technician = await as(browser, "tom");
	await technician.getByRole("link", { name: "sysupdate-check starts again" }).click();
	await technician.getByRole("link", { name: "Review Remediation Plan" }).click();
	await expect(technician.getByText("Read first: recommendations")).toBeVisible();
	await expect(technician.getByText("SHA-256").first()).toBeVisible();
	await expectAccessible(technician);
	await picture(technician, "real-review");
	await stage.act("offline", { host: "first" });
	await technician.getByRole("button", { name: "Approve ticked steps" }).click();
	await expect(technician.getByText(/Waiting for host · offline since/).first()).toBeVisible();
	await expect(technician.locator(".plan .spinner").first()).toBeVisible();
	await expectAccessible(technician);

	await picture(technician, "real-waiting");
	await technician.evaluate(() => { window.notReloaded = true; });
	await stage.act("online", { host: "first" });
	await expect(technician.locator(".plan .spinner")).toHaveCount(0, { timeout: WORK });
	const steps = await technician.locator(".plan > .plan-step").count();
	await expect(technician.locator(".plan").getByText("Completed")).toHaveCount(steps);
	await expect(technician.getByText("Resolved", { exact: true })).toBeVisible({ timeout: WORK });
	await expect(technician.locator("#announce")).toHaveText(/resolved/);
	expect(await technician.evaluate(() => window.notReloaded), "updated without a reload").toBe(true);
	expect(await stage.act("gone", { host: "first" }), "the host says so too").toBe(true);
	await picture(technician, "real-remediations");
	for (const tab of ["Report", "Remaining Footholds", "Activity"]) {
		await technician.locator(".tabs").getByRole("link", { name: tab }).click();
		await expect(technician.locator(".tabs [aria-current]")).toHaveText(tab);
		await expectAccessible(technician);
		await picture(technician, `real-${tab}`);
	}
	expect(incidentOf(technician)).toBe(id);
});

test("puts everything back when the technician undoes it", async ({ browser }) => {
	test.setTimeout(3 * WORK);
	const technician = await as(browser, "tom");
	await technician.getByRole("link", { name: "sysupdate-check starts again" }).click();
	await technician.getByRole("link", { name: "Remediations" }).click();
	await technician.getByRole("link", { name: "Undo" }).click();
	await technician.getByRole("radio", { name: /^No/ }).check();
	await expectAccessible(technician);
	await technician.getByRole("button", { name: "Approve the undo" }).click();
	await expect(technician.getByText("Undone: put back as it was").first()).toBeVisible({ timeout: WORK });
	await expect(technician.locator(".plan .spinner")).toHaveCount(0, { timeout: WORK });
	await expect(technician.locator(".meta").getByText("Open", { exact: true })).toBeVisible();
	expect(await stage.act("back", { host: "first" }), "the footholds work again").toBe(true);
});

test("shows the difference after a rejection and a re-issue", async ({ browser }) => {
	const analyst = await as(browser, "ana");
	const id = await sendReport(analyst, stage, hosts.second, { subject: "A crontab line of web", footholds: ["cron-web"] });

	const technician = await as(browser, "tom");
	await technician.goto(`${stage.url}/incidents/${id}/review`);
	await technician.getByRole("button", { name: "Reject the report" }).click();
	await expect(technician.getByText("A rejection needs a reason.")).toBeVisible();
	await technician.getByLabel("Reason, if you reject anything").selectOption("incomplete");
	await technician.getByLabel("Comment for the analyst").fill("The timer is missing.");
	await technician.getByRole("button", { name: "Reject the report" }).click();
	await expect(technician.getByText("The report goes back to the analyst")).toBeVisible();

	await analyst.goto(`${stage.url}/`);
	await analyst.getByRole("link", { name: "A crontab line of web" }).click();
	await analyst.getByRole("link", { name: "Correct and re-issue" }).click();
	await expect(analyst.getByText("The timer is missing.")).toBeVisible();
	await analyst.getByRole("checkbox", { name: "systemd timer sysupdate-check" }).check();
	await analyst.getByRole("checkbox", { name: "systemd service sysupdate-check" }).check();
	await analyst.getByRole("button", { name: "Update steps" }).click();
	await expect(analyst.locator(".plan").getByText(/sysupdate-check\.timer/).first()).toBeVisible();
	await expectAccessible(analyst);
	await analyst.getByLabel(/^Recommendations/).fill("Approve all steps, the timer's too.");
	await analyst.getByRole("button", { name: "Save and preview" }).click();
	await analyst.getByRole("button", { name: "Send report" }).click();

	await technician.goto(`${stage.url}/incidents/${id}/review`);
	const difference = technician.getByRole("region", { name: /Difference to revision 1/ });
	await expect(difference.locator(".was").first()).toHaveText(/Approve all steps\.$/);
	await expect(difference.locator(".is").first()).toHaveText(/the timer's too/);
	await picture(technician, "real-difference");
	await expect(difference.getByText("added").first()).toBeVisible();
	await expectAccessible(technician);
});

test("cancels before the host begins", async ({ browser }) => {
	const technician = await as(browser, "tom");
	await stage.act("offline", { host: "second" });
	await technician.getByRole("link", { name: "A crontab line of web" }).click();
	await technician.getByRole("link", { name: "Review Remediation Plan" }).click();
	await technician.getByRole("button", { name: "Approve ticked steps" }).click();
	await technician.getByRole("button", { name: "Cancel" }).click();
	await expect(technician.getByText(/Cancelled before the host began/).first()).toBeVisible();
	await stage.act("online", { host: "second" });
	await expect(technician.getByText("online", { exact: true }).first()).toBeVisible({ timeout: WORK });
	expect(await stage.act("gone", { host: "second" }), "nothing was removed").toBe(false);
});

test("goes the whole main path with scripts off, from composing to the proof", async ({ browser }) => {
	test.setTimeout(3 * WORK);
	await stage.act("plant_cron", { host: "second", name: "scriptless" });
	const scriptless = { javaScriptEnabled: false };
	const analyst = await as(browser, "ana", scriptless);
	const id = await sendReport(analyst, stage, hosts.second, {
		subject: "Sent without a script", footholds: ["/usr/local/lib/scriptless"] });
	const technician = await as(browser, "tom", scriptless);
	await technician.getByRole("link", { name: "Sent without a script" }).click();
	await technician.getByRole("link", { name: "Review Remediation Plan" }).click();
	await technician.getByRole("button", { name: "Approve ticked steps" }).click();
	await shows(technician, "Resolved");
	expect(incidentOf(technician)).toBe(id);
	expect(await stage.act("there", { host: "second", name: "scriptless" })).toEqual([true, false]);
});

/** Reloads, as people without scripts do, until the words stand there. */
async function shows(page, words) {
	await expect(async () => {
		await page.reload();
		await expect(page.getByText(words, { exact: true }).first()).toBeVisible({ timeout: 500 });
	}).toPass({ timeout: WORK });
}

async function cronReport(browser, name, subject) {
	await stage.act("plant_cron", { host: "second", name });
	const analyst = await as(browser, "ana");
	await sendReport(analyst, stage, hosts.second, { subject, footholds: [`/usr/local/lib/${name}`] });
	const technician = await as(browser, "tom");
	await technician.goto(analyst.url());
	await technician.getByRole("link", { name: "Review Remediation Plan" }).click();
	return { analyst, technician };
}

test("says in words what was stale and what failed, and why", async ({ browser }) => {
	test.setTimeout(3 * WORK);
	for (const [name, spoil, words] of [
		["changed", "change_payload", "Stale: the host no longer holds what was approved; nothing was done"],
		["held", "hold_payload", "Failed"],
	]) {
		const { technician } = await cronReport(browser, name, `A payload that is ${name}`);
		await stage.act(spoil, { host: "second", name });
		await technician.getByRole("button", { name: "Approve ticked steps" }).click();
		await expect(technician.locator(".plan .state", { hasText: words })).toHaveCount(1, { timeout: WORK });
		await expect(technician.locator(".plan").getByText("Completed")).toHaveCount(1);
		await expectAccessible(technician);
		expect(await stage.act("there", { host: "second", name }), "the payload stays").toEqual([true, true]);
	}
});

test("approves only what is ticked; the rest is rejected with the reason", async ({ browser }) => {
	test.setTimeout(2 * WORK);
	const { technician } = await cronReport(browser, "chosen", "Only the line of it");
	await technician.getByRole("checkbox", { name: "Approve step 2" }).uncheck();
	await technician.getByLabel("Reason, if you reject anything").selectOption("too_risky");
	await technician.getByRole("button", { name: "Approve ticked steps" }).click();
	await expect(technician.locator(".plan").getByText("Completed")).toHaveCount(1, { timeout: WORK });
	await expect(technician.locator(".plan .state", { hasText: "Rejected" })).toHaveCount(1);
	await expectAccessible(technician);
	expect(await stage.act("there", { host: "second", name: "chosen" })).toEqual([true, true]);
});

test("takes a note on manual work, and closes a report with its reason", async ({ browser }) => {
	const technician = await as(browser, "tom");
	await technician.getByRole("link", { name: "A unit of a package was edited" }).click();
	await technician.locator(".tabs").getByRole("link", { name: "Remediations" }).click();
	await technician.getByRole("link", { name: /done/i }).first().click();
	await technician.getByLabel("What did you do?").fill("Installed the package again.");
	await expectAccessible(technician);
	await technician.getByRole("button", { name: "Mark as done" }).click();
	await expect(technician.getByText(/Manual: done by tom/).first()).toBeVisible();
	await expect(technician.getByText("Installed the package again.").first()).toBeVisible();

	const analyst = await as(browser, "ana");
	await analyst.goto(`${stage.url}/incidents/${incidentOf(technician)}`);
	await analyst.getByRole("link", { name: /^Close/ }).click();
	await analyst.getByLabel("Reason").selectOption("false_positive");
	await expectAccessible(analyst);
	await analyst.getByRole("button", { name: "Close incident" }).click();
	await expect(analyst.getByText("Closed", { exact: true }).first()).toBeVisible();
});

test("shows hostile names as text on every page, and removes what bears them", async ({ browser }) => {
	test.setTimeout(3 * WORK);
	const spelled = await stage.act("plant_hostile", { host: "second" });
	const analyst = await as(browser, "ana");
	const technician = await as(browser, "tom");
	const trouble = [...watched(analyst), ...watched(technician)];
	await analyst.goto(`${stage.url}/hosts/${hosts.second.id}`);
	for (const name of ["service", "cron", "ignored"]) {
		const row = analyst.locator("li.foothold").filter({
			has: analyst.getByText(spelled[name], { exact: true }) }).first();
		await expect(row, name).toBeVisible();
		await row.getByRole("checkbox").first().check();
	}
	await picture(analyst, "real-hostile");
	await expect(analyst.locator(".byte", { hasText: "%E2%80%AE" }).first()).toBeVisible();
	await expectAccessible(analyst);
	await analyst.getByRole("button", { name: "Open incident report" }).click();
	await analyst.getByLabel("Subject").fill(`"><script>alert(2)</script>`);
	await analyst.getByRole("button", { name: "Save and preview" }).click();
	await expect(analyst.getByRole("heading", { name: `"><script>alert(2)</script>` })).toBeVisible();
	await expectSpelled(analyst, spelled);
	await analyst.getByRole("button", { name: "Send report" }).click();

	await technician.goto(analyst.url().replace(/\?.*/, ""));
	await technician.getByRole("link", { name: "Review Remediation Plan" }).click();
	await expectSpelled(technician, spelled);
	await expectAccessible(technician);
	await technician.getByRole("button", { name: "Approve ticked steps" }).click();
	await expect(technician.locator(".plan .spinner")).toHaveCount(0, { timeout: WORK });
	await expectSpelled(technician, spelled);
	expect(await stage.act("hostile_gone", { host: "second" })).toBe(true);
	expect(trouble.flat()).toEqual([]);
});

/** Exactly these spellings stand in the page's text, and no raw byte of the names does. */
async function expectSpelled(page, spelled) {
	const text = await page.locator("main").textContent();
	for (const name of ["payload", "tool", "line"]) expect(text, name).toContain(spelled[name]);
	for (const name of ["service", "ignored"]) { // a unit goes by its name
		expect(text, name).toContain(spelled[name].split("/").pop());
	}
	expect(text).not.toMatch(/[\u202e\ufffd]/);
	expect(await page.locator("main script").count(), "no name became markup").toBe(0);
}

/** What a page complains of: a dialog, an error, a refused script. Grows while the test runs. */
function watched(page) {
	const trouble = [];
	page.on("dialog", (dialog) => { trouble.push(dialog.message()); dialog.dismiss(); });
	page.on("pageerror", (error) => trouble.push(String(error)));
	page.on("console", (message) => { if (message.type() === "error") trouble.push(message.text()); });
	return [trouble];
}

test("verifies the audit chain and signs out", async ({ browser }) => {
	const administrator = await as(browser, "ada");
	await administrator.getByRole("link", { name: "Activity" }).click();
	await administrator.getByRole("button", { name: "Verify the chain" }).click();
	await expect(administrator.getByText(/events are in order/)).toBeVisible();
	await expectAccessible(administrator);
	await administrator.getByRole("button", { name: "Sign out" }).click();
	await administrator.goto(`${stage.url}/audit`);
	await expect(administrator.getByLabel("Password")).toBeVisible();
});

test("keeps the first load small", async ({ page }) => {
	let bytes = 0;
	page.on("requestfinished", async (request) => {
		const { responseBodySize, responseHeadersSize } = await request.sizes();
		bytes += responseBodySize + responseHeadersSize;
	});
	await signIn(page, stage, "ana");
	await page.waitForLoadState("networkidle");
	expect(bytes).toBeGreaterThan(1000);
	expect(bytes).toBeLessThanOrEqual(120 * 1024);
});

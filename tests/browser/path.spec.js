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

test("goes the main path with scripts off", async ({ browser }) => {
	test.setTimeout(3 * WORK);
	const scriptless = { javaScriptEnabled: false };
	const analyst = await as(browser, "ana", scriptless);
	await analyst.getByRole("link", { name: "A crontab line of web" }).click();
	const technician = await as(browser, "tom", scriptless);
	await technician.goto(analyst.url());
	await technician.getByRole("link", { name: "Review Remediation Plan" }).click();
	await technician.getByRole("button", { name: "Approve ticked steps" }).click();
	await expect(async () => {
		await technician.reload();
		await expect(technician.getByText("Resolved", { exact: true })).toBeVisible({ timeout: 500 });
	}).toPass({ timeout: WORK });
	expect(await stage.act("gone", { host: "second" })).toBe(true);
});

test("shows hostile names as text", async ({ browser }) => {
	await stage.act("plant_hostile", { host: "second" });
	const analyst = await as(browser, "ana");
	const trouble = [];
	analyst.on("dialog", (dialog) => { trouble.push(dialog.message()); dialog.dismiss(); });
	analyst.on("console", (message) => { if (message.type() === "error") trouble.push(message.text()); });
	await analyst.goto(`${stage.url}/hosts/${hosts.second.id}`);
	const row = analyst.locator("li.foothold", { hasText: "<script>alert(1)</script>" }).first();
	await expect(row).toBeVisible();
	await picture(analyst, "real-hostile");
	await expect(row.locator(".byte").first()).toHaveText(/%E2%80%AE|%FF/);
	await expectAccessible(analyst);
	await row.getByRole("checkbox").check();
	await analyst.getByRole("button", { name: "Open incident report" }).click();
	await analyst.getByLabel("Subject").fill(`"><script>alert(2)</script>`);
	await analyst.getByRole("button", { name: "Save and preview" }).click();
	await expect(analyst.getByRole("heading", { name: `"><script>alert(2)</script>` })).toBeVisible();
	await expectAccessible(analyst);
	expect(trouble).toEqual([]);
});

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

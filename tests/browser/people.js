// What people do in the portal, again and again.
"use strict";
const { expect } = require("@playwright/test");
const { AxeBuilder } = require("@axe-core/playwright");

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

async function expectAccessible(page) {
	const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
	expect(violations.map((rule) => `${rule.id}: ${rule.nodes.map(
		(node) => `${node.target} ${node.failureSummary}`).join(" | ")}`)).toEqual([]);
}

async function signIn(page, stage, login) {
	await page.goto(`${stage.url}/`);
	await page.getByLabel("User name").fill(login);
	await page.getByLabel("Password").fill(stage.passwords[login]);
	await page.getByRole("button", { name: "Sign in" }).click();
	await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
}

/** Keeps a picture of the page where DISLODGE_PICTURES names a folder. */
async function picture(page, name) {
	const folder = process.env.DISLODGE_PICTURES;
	if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

/** From the host page to the sent report; the page then shows the incident. */
async function sendReport(page, stage, host, { subject, footholds }) {
	await page.goto(`${stage.url}/hosts/${host.id}`);
	for (const words of footholds) {
		await page.getByRole("checkbox", { name: words }).check();
	}
	await picture(page, "real-host");
	await page.getByRole("button", { name: "Open incident report" }).click();
	await picture(page, "real-compose");
	await page.getByLabel("Subject").fill(subject);
	await page.getByLabel("Severity").selectOption("critical");
	await page.getByLabel(/^Summary/).fill("It starts again after each removal by hand.");
	await page.getByLabel(/^Recommendations/).fill("Approve all steps.");
	await page.getByRole("button", { name: "Save and preview" }).click();
	await expect(page.getByText("Saved as a draft")).toBeVisible();
	await page.getByRole("button", { name: "Send report" }).click();
	await expect(page.getByText("The report was sent.")).toBeVisible();
	return incidentOf(page);
}

function incidentOf(page) {
	return Number(new URL(page.url()).pathname.split("/")[2]);
}

module.exports = { expectAccessible, incidentOf, picture, sendReport, signIn };

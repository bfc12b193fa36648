// Every page with empty, one, many and hostile content, in both themes, on a desk and in a hand.
"use strict";
const { test, expect } = require("@playwright/test");
const { pages } = require("./fixtures/views.js");
const { expectAccessible } = require("./people.js");
const { show } = require("./preview.js");

const PICTURES = process.env.DISLODGE_PICTURES;
const ALL_LOOKS = [
	{ name: "desk-light", colorScheme: "light", viewport: { width: 1440, height: 900 } },
	{ name: "desk-dark", colorScheme: "dark", viewport: { width: 1440, height: 900 } },
	{ name: "hand-light", colorScheme: "light", viewport: { width: 390, height: 844 } },
	{ name: "hand-dark", colorScheme: "dark", viewport: { width: 390, height: 844 } },
];
// Two looks cover both themes and both widths; pictures are taken of all four.
const LOOKS = PICTURES ? ALL_LOOKS : [ALL_LOOKS[0], ALL_LOOKS[3]];

for (const { name: look, ...use } of LOOKS) {
	test.describe(look, () => {
		test.use({ ...use, reducedMotion: "reduce" });
		for (const [name, template, view] of pages) {
			test(`${name} is accessible, quiet and fits`, async ({ page }) => {
				const trouble = [];
				page.on("console", (message) => {
					if (["error", "warning"].includes(message.type())) trouble.push(message.text());
				});
				page.on("pageerror", (error) => trouble.push(String(error)));
				page.on("dialog", (dialog) => trouble.push(`dialog: ${dialog.message()}`));
				await show(page, template, view);
				if (PICTURES) await page.screenshot({ path: `${PICTURES}/${name}.${look}.png`, fullPage: true });
				expect(trouble).toEqual([]);
				const overflow = await page.evaluate(
					() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
				expect(overflow, "scrolls sideways").toBeLessThanOrEqual(0);
				await expectAccessible(page);
			});
		}
	});
}

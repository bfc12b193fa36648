"use strict";
const { defineConfig } = require("@playwright/test");

module.exports = defineConfig({
	testDir: ".",
	testMatch: "*.spec.js",
	timeout: 60_000,
	workers: 1,
	reporter: [["list"]],
	outputDir: process.env.DISLODGE_TEST_OUTPUT || "test-results",
	use: {
		screenshot: "only-on-failure",
		actionTimeout: 15_000,
		launchOptions: {
			executablePath: "/usr/bin/chromium",
			args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
		},
	},
});

// Shows pages of tests/browser/fixtures without a server: `portal-preview` renders the product's
// own templates, requests for them and for static files are answered from its output.
"use strict";
const { execFileSync } = require("node:child_process");
const { NOW } = require("./fixtures/views.js");

const PREVIEW = process.env.DISLODGE_PREVIEW || "../../build/tests/browser/portal-preview";
const ORIGIN = "http://portal.test";
const TYPES = { css: "text/css", js: "text/javascript", svg: "image/svg+xml" };

// The policy the server sends with every page (server/http).
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	+ "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

function render(template, view) {
	return execFileSync(PREVIEW, [template, String(NOW)], { input: JSON.stringify(view), maxBuffer: 1 << 26 });
}

const assets = new Map();
function asset(path) {
	if (!assets.has(path)) assets.set(path, execFileSync(PREVIEW, ["--asset", path]));
	return assets.get(path);
}

async function show(page, template, view) {
	const html = render(template, view);
	await page.route(`${ORIGIN}/**`, (route) => {
		const { pathname } = new URL(route.request().url());
		if (pathname === "/page") {
			return route.fulfill({ body: html, contentType: "text/html; charset=utf-8",
				headers: { "Content-Security-Policy": POLICY } });
		}
		if (!pathname.startsWith("/static/")) return route.fulfill({ status: 204 });
		return route.fulfill({ body: asset(pathname),
			contentType: TYPES[pathname.split(".").pop()] });
	});
	await page.goto(`${ORIGIN}/page`);
}

module.exports = { show, render };

// A real server with real hosts for a test: stage.py's acts as functions.
"use strict";
const { execFileSync, spawn } = require("node:child_process");
const { createInterface } = require("node:readline");
const path = require("node:path");

const HOSTS = path.join(__dirname, "..", "hosts", "host");

/** Why no disposable host can run here, or "" when one can. */
function unable() {
	try {
		execFileSync(HOSTS, ["able"], { encoding: "utf8" });
		return "";
	} catch (failure) {
		return (failure.stdout || String(failure)).trim();
	}
}

async function open() {
	const child = spawn("/usr/bin/python3", [path.join(__dirname, "stage.py")],
		{ stdio: ["pipe", "pipe", "inherit"] });
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const answer = async () => {
		const { value, done } = await lines.next();
		if (done) throw new Error("stage.py has ended");
		const { ok, error } = JSON.parse(value);
		if (error) throw new Error(error);
		return ok;
	};
	const people = await answer();
	return {
		...people,
		/** One act of stage.py. */
		async act(name, parameters = {}) {
			child.stdin.write(`${JSON.stringify({ do: name, ...parameters })}\n`);
			return answer();
		},
		async close() {
			const ended = new Promise((resolve) => child.once("exit", resolve));
			child.stdin.end();
			const code = await ended;
			if (code !== 0) throw new Error(`stage.py ended with ${code}: its last looks failed`);
		},
	};
}

module.exports = { open, unable };

// j and k walk the rows of a list, Enter opens one (the focus is on a link); r opens an incident's
// review.
(() => {
	"use strict";
	const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]");
	const move = (step) => {
		const links = [...document.querySelectorAll(".rows .row-title[href]")];
		const at = links.indexOf(document.activeElement);
		const next = links[at < 0 && step < 0 ? links.length - 1 : at + step];
		if (next) next.focus();
	};
	const press = (id) => document.getElementById(id)?.click();
	const keys = {
		j: () => move(1),
		k: () => move(-1),
		r: () => press("review"),
	};
	document.addEventListener("keydown", (event) => {
		if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
		keys[event.key]?.();
	});
})();

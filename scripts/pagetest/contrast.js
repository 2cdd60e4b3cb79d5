// Lists the texts of the page that stand out too little from what is behind them:
// WCAG 2.2, success criterion 1.4.3, level AA.
(() => {
	const colour = text => {
		const parts = text.match(/[\d.]+/g).map(Number)
		return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 }
	}
	// https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
	const luminance = rgb => {
		const [r, g, b] = rgb.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
		return 0.2126 * r + 0.7152 * g + 0.0722 * b
	}
	const ratio = (a, b) => {
		const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y)
		return (high + 0.05) / (low + 0.05)
	}
	const behind = element => {
		for (let e = element; e; e = e.parentElement) {
			const c = colour(getComputedStyle(e).backgroundColor)
			if (c.alpha === 1) return c.rgb
			if (c.alpha !== 0) return null // see-through: not in use here
		}
		return [255, 255, 255]
	}
	const weak = new Set()
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
	while (walker.nextNode()) {
		const element = walker.currentNode.parentElement
		if (!walker.currentNode.data.trim() || element.closest("title")) continue
		const style = getComputedStyle(element)
		const ink = colour(element instanceof SVGElement ? style.fill : style.color)
		const size = parseFloat(style.fontSize), bold = parseInt(style.fontWeight) >= 700
		const needed = size >= 24 || bold && size >= 18.66 ? 3 : 4.5
		const back = behind(element)
		const got = back && ink.alpha === 1 ? ratio(ink.rgb, back) : 0
		if (got < needed) weak.add(`${got.toFixed(2)} of ${element.tagName}.${element.getAttribute("class")} ${walker.currentNode.data.trim().slice(0, 40)}`)
	}
	return [...weak].slice(0, 20)
})()

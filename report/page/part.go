package page

import (
	"bytes"
	"html/template"
)

// part is a part of the page that has room for so many bytes.
type part struct {
	templates *template.Template
	room      int
	full      bool
}

func newPart(templates *template.Template, room int) *part {
	return &part{templates: templates, room: room}
}

// add renders something, and says whether there is room for it. After something that
// there is no room for it adds nothing more, so that what is shown comes in order.
func (p *part) add(data any, name string) (template.HTML, bool, error) {
	if p.full {
		return "", false, nil
	}
	rendered, fits, err := p.fit(data, name)
	p.full = !fits
	return rendered, fits, err
}

// fit renders something, and says whether there is room for it. What comes after it has
// what room is left.
func (p *part) fit(data any, name string) (template.HTML, bool, error) {
	var rendered bytes.Buffer
	if err := p.templates.ExecuteTemplate(&rendered, name, data); err != nil {
		return "", false, err
	}
	n := len(shown(rendered.Bytes()))
	if n > p.room {
		return "", false, nil
	}
	p.room -= n
	return template.HTML(rendered.Bytes()), true, nil
}

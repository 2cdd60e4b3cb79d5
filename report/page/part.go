package page

import (
	"bytes"
	"html/template"
)

// part is a part of the page that has room for so many bytes. After something that
// there is no room for nothing more is shown there, so that what is comes in order.
type part struct {
	templates *template.Template
	room      int
	full      bool
}

func newPart(templates *template.Template, room int) *part {
	return &part{templates: templates, room: room}
}

// add renders something, and says whether there is room for it.
func (p *part) add(data any, name string) (template.HTML, bool, error) {
	if p.full {
		return "", false, nil
	}
	var rendered bytes.Buffer
	if err := p.templates.ExecuteTemplate(&rendered, name, data); err != nil {
		return "", false, err
	}
	n := len(shown(rendered.Bytes()))
	if p.full = n > p.room; p.full {
		return "", false, nil
	}
	p.room -= n
	return template.HTML(rendered.Bytes()), true, nil
}

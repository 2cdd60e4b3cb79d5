package instances

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// What is wrong with a list, in words for people.
var (
	errNoList   = errors.New("it lists no instances: aws ec2 describe-instances --output json writes such a list")
	errNoID     = errors.New("an instance in it has no InstanceId: list whole instances")
	errTooLarge = errors.New("an instance in it takes more than 8 MiB, which none does")
	errUTF16    = errors.New("it is UTF-16, as older versions of PowerShell write it: save it as UTF-8")
)

// Read takes in a list: the JSON that aws ec2 describe-instances writes, of one or
// several pages one after another, or lists of reservations or instances, as --query
// makes of it. The list is read instance by instance, and none is held whole. After
// an error the List has what stood before it.
func (l *List) Read(from io.Reader) error {
	in := &metered{r: bufio.NewReader(from), left: maxInstance}
	if err := in.skipMark(); err != nil {
		return err
	}
	r := &reader{list: l, in: in, tokens: jsontext.NewDecoder(in, jsontext.AllowInvalidUTF8(true))}
	if err := r.documents(); err != nil {
		return explain(err)
	}
	if r.unfinished {
		l.unfinished++
	}
	return nil
}

// explain says what is wrong in words of the list. What stands there is not shown: it
// may be any file.
func explain(err error) error {
	syntax, semantic := (*jsontext.SyntacticError)(nil), (*json.SemanticError)(nil)
	switch {
	case errors.Is(err, errTooLarge):
		return errTooLarge
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the list is cut off: its JSON has no end")
	case errors.As(err, &syntax):
		return fmt.Errorf("it is no JSON at byte %d: aws ec2 describe-instances --output json writes it", syntax.ByteOffset)
	case errors.As(err, &semantic):
		return fmt.Errorf("at byte %d it is not what aws ec2 describe-instances writes", semantic.ByteOffset)
	}
	return err
}

// reader is one list that is read.
type reader struct {
	list       *List
	in         *metered
	tokens     *jsontext.Decoder
	found      bool // it is a list of instances
	unfinished bool // the latest page goes on elsewhere
}

func (r *reader) documents() error {
	for {
		r.in.left = maxInstance
		switch kind := r.tokens.PeekKind(); kind {
		case '[', '{':
			r.unfinished = false
			if err := r.value(false); err != nil {
				return err
			}
		default:
			return r.end(kind)
		}
		if !r.found {
			return errNoList
		}
	}
}

// end is behind all documents.
func (r *reader) end(kind jsontext.Kind) error {
	_, err := r.tokens.ReadToken()
	switch {
	case err == io.EOF && r.found:
		return nil
	case err == io.EOF, err == nil && kind != 0:
		return errNoList
	}
	return err
}

// value reads what may be a list or an object; instance says that objects have to be
// instances.
func (r *reader) value(instance bool) error {
	switch r.tokens.PeekKind() {
	case '[':
		return r.elements(instance)
	case '{':
		return r.object(instance)
	}
	return r.tokens.SkipValue()
}

func (r *reader) elements(instance bool) error {
	_, err := r.tokens.ReadToken()
	for err == nil && r.tokens.PeekKind() != ']' {
		err = r.value(instance)
	}
	if err == nil {
		_, err = r.tokens.ReadToken()
	}
	return err
}

// object reads a page, a reservation or an instance: which of them it is, its names
// tell.
func (r *reader) object(instance bool) error {
	r.in.left = maxInstance
	var d described
	_, err := r.tokens.ReadToken()
	for err == nil && r.tokens.PeekKind() != '}' {
		err = r.member(&d)
	}
	if err == nil {
		_, err = r.tokens.ReadToken()
	}
	switch {
	case err != nil:
		return err
	case d.ID != "":
		r.found = true
		return r.list.add(&d)
	case instance:
		return errNoID
	}
	return nil
}

func (r *reader) member(d *described) error {
	token, err := r.tokens.ReadToken()
	if err != nil {
		return err
	}
	switch name := token.String(); name {
	case "Reservations", "Instances":
		r.found = true
		return r.value(name == "Instances")
	case "NextToken":
		var next *string
		err := json.UnmarshalDecode(r.tokens, &next)
		r.unfinished = next != nil && *next != ""
		return err
	default:
		if to := d.field(name); to != nil {
			return json.UnmarshalDecode(r.tokens, to)
		}
	}
	return r.tokens.SkipValue()
}

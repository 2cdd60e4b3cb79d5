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
	errNotAList = errors.New("what it has as Reservations or Instances is no list: aws ec2 describe-instances --output json writes one")
	errTooLarge = errors.New("an instance in it takes more than 8 MiB, which none does")
	errUTF16    = errors.New("it is UTF-16, as older versions of PowerShell write it: save it as UTF-8")
)

// Read takes in a list: the JSON that aws ec2 describe-instances writes, of one or
// several pages one after another, or lists of reservations or instances, as --query
// makes of it. The list is read instance by instance, and none is held whole. Pages of
// one listing can be in several inputs, one after the other. After an error the List has
// what stood before it.
func (l *List) Read(from io.Reader) error {
	in := &metered{r: bufio.NewReader(from), left: maxInstance}
	if err := in.skipMark(); err != nil {
		return err
	}
	r := &reader{list: l, in: in, tokens: jsontext.NewDecoder(in, jsontext.AllowInvalidUTF8(true))}
	if err := r.documents(); err != nil {
		return explain(err)
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
	list   *List
	in     *metered
	tokens *jsontext.Decoder
	any    bool // there was a document
	// Of the document that is read: whether it lists instances, of what it is a page, and
	// whether it goes on elsewhere.
	found  bool
	page   listing
	goesOn bool
}

func (r *reader) documents() error {
	for {
		r.in.left = maxInstance
		switch kind := r.tokens.PeekKind(); kind {
		case '[', '{':
			if err := r.document(); err != nil {
				return err
			}
		default:
			return r.end(kind)
		}
	}
}

func (r *reader) document() error {
	r.any, r.found, r.page, r.goesOn = true, false, listing{}, false
	if err := r.value(false); err != nil {
		return err
	}
	if !r.found {
		return errNoList
	}
	r.list.page(r.page, r.goesOn)
	return nil
}

// end is behind all documents.
func (r *reader) end(kind jsontext.Kind) error {
	_, err := r.tokens.ReadToken()
	switch {
	case err == io.EOF && r.any:
		return nil
	case err == io.EOF, err == nil && kind != 0:
		return errNoList
	}
	return err
}

// value reads a list or an object; listed says that it stands in a list, where objects have
// to be instances, or have some.
func (r *reader) value(listed bool) error {
	switch r.tokens.PeekKind() {
	case '[':
		return r.elements()
	case '{':
		return r.object(listed)
	case '"', '0', 'n', 't', 'f':
		return errNoID
	}
	return r.tokens.SkipValue() // says what is wrong with the JSON
}

func (r *reader) elements() error {
	_, err := r.tokens.ReadToken()
	for err == nil && r.tokens.PeekKind() != ']' {
		err = r.value(true)
	}
	if err == nil {
		_, err = r.tokens.ReadToken()
	}
	return err
}

// object reads a page, a reservation or an instance: which of them it is, its names
// tell.
func (r *reader) object(listed bool) error {
	r.in.left = maxInstance
	var d described
	lists := false // it has a list of instances
	_, err := r.tokens.ReadToken()
	for err == nil && r.tokens.PeekKind() != '}' {
		var list bool
		list, err = r.member(&d)
		lists = lists || list
	}
	if err == nil {
		_, err = r.tokens.ReadToken()
	}
	if err != nil {
		return err
	}
	r.page.see(&d)
	switch {
	case d.ID != "":
		r.found = true
		return r.list.add(&d)
	case listed && !lists:
		return errNoID
	}
	return nil
}

// member reads one of an object, and says whether it is a list of instances.
func (r *reader) member(d *described) (list bool, err error) {
	token, err := r.tokens.ReadToken()
	if err != nil {
		return false, err
	}
	switch name := token.String(); name {
	case "Reservations", "Instances":
		r.found = true
		return true, r.listOf()
	case "NextToken":
		var next *string
		err := json.UnmarshalDecode(r.tokens, &next)
		r.goesOn = next != nil && *next != ""
		return false, err
	default:
		if to := d.field(name); to != nil {
			return false, json.UnmarshalDecode(r.tokens, to)
		}
	}
	return false, r.tokens.SkipValue()
}

// listOf reads a list, as null is none: what is in it is not known.
func (r *reader) listOf() error {
	switch r.tokens.PeekKind() {
	case '[':
		return r.elements()
	case '{', '"', '0', 'n', 't', 'f':
		return errNotAList
	}
	return r.tokens.SkipValue() // says what is wrong with the JSON
}

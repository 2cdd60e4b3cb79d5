package instances

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func pages(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("testdata/pages.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func read(t *testing.T, by Grouping, text string) *List {
	t.Helper()
	l := New(by)
	if err := l.Read(strings.NewReader(text)); err != nil {
		t.Fatalf("%v: %.100s", err, text)
	}
	return l
}

// What the AWS CLI writes of two pages, one after the other.
func TestReadPages(t *testing.T) {
	l := read(t, "", pages(t))
	applied := func(tokens, endpoint string) Options { return Options{"applied", tokens, endpoint, 1} }
	old := Group{"image", "ami-0old"}
	want := map[string]Instance{
		"i-0e5a11c0de0000001": {"eu-central-1a", "running", applied("optional", "enabled"), Group{"asg", "web"}},
		"i-0e5a11c0de0000003": {"eu-central-1a", "running", applied("optional", "enabled"), Group{"asg", "web"}},
		"i-0e5a11c0de0000004": {"eu-central-1b", "running", applied("optional", "enabled"), Group{"asg", "web"}},
		"i-0e5a11c0de00000b1": {"eu-central-1a", "running", applied("required", "enabled"), Group{"image", "ami-0batch"}},
		"i-0e5a11c0de00000d1": {"eu-central-1a", "stopped", applied("optional", "enabled"), old},
		"i-0e5a11c0de00000d2": {"eu-central-1a", "terminated", applied("optional", "enabled"), old},
		"i-0e5a11c0de0000005": {"eu-central-1a", "running", applied("required", "enabled"), Group{"image", "ami-0abcd1234"}},
		"i-0e5a11c0de0000006": {"eu-central-1a", "running", applied("optional", "disabled"), Group{"image", "ami-0abcd1234"}},
		"i-0e5a11c0de0000007": {"eu-central-1a", "running", Options{"pending", "required", "enabled", 1}, old},
	}
	if got := maps.Collect(l.All()); !reflect.DeepEqual(got, want) || l.Unfinished() != 0 {
		t.Errorf("%d unfinished,\n%v\nwant\n%v", l.Unfinished(), got, want)
	}
}

// The list can have other forms, and need not tell all.
func TestReadForms(t *testing.T) {
	const one, two = `{"InstanceId":"i-1","ImageId":"ami-1"}`, `{"InstanceId":"i-2"}`
	tests := map[string]struct {
		text       string
		ids        string
		unfinished int
	}{
		"a page":                  {`{"Reservations":[{"Instances":[` + one + `]},{"Instances":[` + two + `]}]}`, "i-1 i-2", 0},
		"other names around":      {`{"ResponseMetadata":{"a":[1,{"b":null}]},"Reservations":[{"Groups":[],"Instances":[` + one + `],"OwnerId":"1"}]}`, "i-1", 0},
		"no instances":            {`{"Reservations":[]}`, "", 0},
		"reservations":            {`[{"Instances":[` + one + `]},{"Instances":[]}]`, "i-1", 0},
		"instances":               {`[` + one + `,` + two + `]`, "i-1 i-2", 0},
		"lists of instances":      {`[[` + one + `],[],[` + two + `]]`, "i-1 i-2", 0},
		"an instance":             {one, "i-1", 0},
		"a mark before":           {"\xef\xbb\xbf" + one, "i-1", 0},
		"CRLF":                    {"[\r\n" + one + "\r\n]\r\n", "i-1", 0},
		"twice":                   {one + one, "i-1", 0},
		"a page of more":          {`{"Reservations":[{"Instances":[` + one + `]}],"NextToken":"x"}`, "i-1", 1},
		"the next one":            {`{"NextToken":"x","Reservations":[]}{"Reservations":[{"Instances":[` + two + `]}],"NextToken":null}`, "i-2", 0},
		"no more":                 {`{"Reservations":[],"NextToken":""}`, "", 0},
		"nothing known":           {`{"InstanceId":"i-1","ImageId":null,"State":null,"Tags":null,"Placement":null,"MetadataOptions":null}`, "i-1", 0},
		"half a surrogate":        {`{"InstanceId":"i-1","Tags":[{"Key":"a","Value":"\ud800"}]}`, "i-1", 0},
		"names within that match": {`{"InstanceId":"i-1","X":{"InstanceId":"i-9","Instances":[` + two + `]}}`, "i-1", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := read(t, "", tt.text)
			var ids []string
			for id := range l.All() {
				ids = append(ids, id)
			}
			if got := strings.Join(ids, " "); got != tt.ids || l.Unfinished() != tt.unfinished {
				t.Errorf("%q, %d unfinished", got, l.Unfinished())
			}
		})
	}
}

// A listing is whole when the last of its pages was read, wherever it is.
func TestReadPagesOfListings(t *testing.T) {
	page := func(account, zone, next string) string {
		return `{"Reservations":[{"Instances":[{"InstanceId":"i-` + account + zone + next + `","Placement":{"AvailabilityZone":"` + zone + `"}}],"OwnerId":"` + account + `"}],"NextToken":"` + next + `"}`
	}
	const one, two = "111111111111", "222222222222"
	const east, west = "us-east-1a", "us-west-2b"
	const empty, emptyPage = `{"Reservations":[]}`, `{"Reservations":[],"NextToken":"x"}`
	tests := []struct {
		name   string
		inputs []string
		want   int
	}{
		{"one page", []string{page(one, east, "")}, 0},
		{"three in one file", []string{page(one, east, "x") + page(one, east, "y") + page(one, east, "")}, 0},
		{"in a file each", []string{page(one, east, "x"), page(one, east, "y"), page(one, east, "")}, 0},
		{"of two zones", []string{page(one, east, "x"), page(one, "us-east-1b", "")}, 0},
		{"the last is missing", []string{page(one, east, "x"), page(one, east, "y")}, 1},
		{"another region after it", []string{page(one, east, "x") + page(one, west, "")}, 1},
		{"another account after it", []string{page(one, east, "x") + page(two, east, "")}, 1},
		{"both cut", []string{page(one, east, "x") + page(one, west, "x")}, 2},
		{"both whole, pages mixed", []string{page(one, east, "x"), page(one, west, "x"), page(one, east, ""), page(one, west, "")}, 0},
		{"begun once more", []string{page(one, east, "x") + page(one, east, "") + page(one, east, "x")}, 1},
		{"an empty list of whatever after it", []string{page(one, east, "x") + empty}, 1},
		{"of empty pages", []string{emptyPage + empty}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := New("")
			for _, input := range tt.inputs {
				if err := l.Read(strings.NewReader(input)); err != nil {
					t.Fatal(err)
				}
			}
			if l.Unfinished() != tt.want {
				t.Errorf("%d are unfinished, want %d", l.Unfinished(), tt.want)
			}
		})
	}
}

// Of an instance that is listed twice the latter holds, also of several lists.
func TestReadLatter(t *testing.T) {
	l := read(t, "image", `[{"InstanceId":"i-1","ImageId":"a"},{"InstanceId":"i-1","ImageId":"b"}]`)
	if i, ok := l.Get("i-1"); !ok || i.Group.Name != "b" {
		t.Errorf("%+v", i)
	}
	if err := l.Read(strings.NewReader(`{"InstanceId":"i-1","State":{"Name":"terminated"}}`)); err != nil {
		t.Fatal(err)
	}
	if i, _ := l.Get("i-1"); !i.Gone() {
		t.Errorf("%+v", i)
	}
}

func TestReadWrong(t *testing.T) {
	long := strings.Repeat("x", maxText+1)
	large := `"` + strings.Repeat("x", 2*maxInstance) + `"`
	tests := map[string]struct{ text, want string }{
		"empty":                 {"", "it lists no instances"},
		"blank":                 {" \n", "it lists no instances"},
		"an object":             {"{}", "it lists no instances"},
		"an empty list":         {"[]", "it lists no instances"},
		"a number":              {"1", "it lists no instances"},
		"a log":                 {`{"@timestamp":"2026-01-01","event":{"dataset":"imds.call"}}`, "it lists no instances"},
		"a number behind":       {`{"Reservations":[]} 1`, "it lists no instances"},
		"text":                  {"Reservations:\n- Groups: []\n", "it is no JSON at byte 0"},
		"text behind":           {`{"Reservations":[]} x`, "it is no JSON at byte 20"},
		"other brackets":        {`{"Reservations":[}`, "it is no JSON at byte 17"},
		"UTF-16":                {"\xff\xfe{\x00}\x00", "UTF-16"},
		"UTF-16, big endian":    {"\xfe\xff\x00{\x00}", "UTF-16"},
		"cut in an instance":    {`{"Reservations":[{"Instances":[{"InstanceId":"i-1","Tags":[{"Ke`, "cut off"},
		"cut behind one":        {`{"Reservations":[{"Instances":[{"InstanceId":"i-1"}`, "cut off"},
		"no id":                 {`{"Instances":[{"ImageId":"ami-1"}]}`, "no InstanceId"},
		"no id in a list":       {`[{"InstanceId":"i-1"},{"ImageId":"ami-1"}]`, "no InstanceId"},
		"nor in one within it":  {`[[{"InstanceId":"i-1"}],[{"ImageId":"ami-1"}]]`, "no InstanceId"},
		"a reservation of none": {`{"Reservations":[{"OwnerId":"1"}]}`, "no InstanceId"},
		"ids alone":             {`["i-1","i-2"]`, "no InstanceId"},
		"ids among others":      {`[{"InstanceId":"i-1"},"i-2"]`, "no InstanceId"},
		"null in a list":        {`[[{"InstanceId":"i-1"}],null]`, "no InstanceId"},
		"null for reservations": {`{"Reservations":null}`, "no list"},
		"an object for them":    {`{"Reservations":{"Instances":[{"InstanceId":"i-1"}]}}`, "no list"},
		"null for instances":    {`{"Reservations":[{"Instances":null}]}`, "no list"},
		"a text for them":       {`{"Instances":"i-1"}`, "no list"},
		"an error behind":       {`{"Reservations":[]}{"error":1}`, "it lists no instances"},
		"an error before":       {`{"error":1}{"Reservations":[]}`, "it lists no instances"},
		"an id of another type": {`{"Instances":[{"InstanceId":1}]}`, "at byte 28 it is not what"},
		"tags of another type":  {`{"Instances":[{"InstanceId":"i-1","Tags":{"a":"b"}}]}`, "it is not what"},
		"a token of another":    {`{"Reservations":[],"NextToken":1}`, "it is not what"},
		"a long id":             {`{"InstanceId":"` + long + `"}`, "more than 1024 bytes"},
		"a long image":          {`{"InstanceId":"i-1","ImageId":"` + long + `"}`, "more than 1024 bytes"},
		"a large value":         {`{"InstanceId":"i-1","ImageId":` + large + `}`, "more than 8 MiB"},
		"a large other value":   {`{"InstanceId":"i-1","X":` + large + `}`, "more than 8 MiB"},
		"a large list":          {`{"Instances":[{"InstanceId":"i-1","X":[` + strings.Repeat("1,", maxInstance) + `1]}]}`, "more than 8 MiB"},
		"deep":                  {strings.Repeat("[", 20_000), "it is no JSON"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := New("").Read(strings.NewReader(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 150 {
				t.Errorf("the error is %.300v", err)
			}
		})
	}
}

// Of many instances none is held whole, and there is an end to them.
func TestReadMany(t *testing.T) {
	var made int
	instance := func() string {
		made++
		return fmt.Sprintf(`{"InstanceId":"i-%d","X":"%s"},`, made, strings.Repeat("x", 100))
	}
	l := New("")
	err := l.Read(&repeated{next: []byte(`{"Reservations":[{"Instances":[`), more: instance})
	if n := len(l.instances); err == nil || !strings.Contains(err.Error(), "more than 100000 instances") || n != maxInstances {
		t.Errorf("%d instances: %v", n, err)
	}
	err = New("").Read(&repeated{more: func() string { return `{"InstanceId":"i-1"}` }})
	if err == nil || !strings.Contains(err.Error(), "more than 100000 instances") {
		t.Errorf("of one and the same: %v", err)
	}
}

// repeated has no end.
type repeated struct {
	next []byte
	more func() string
}

func (r *repeated) Read(p []byte) (int, error) {
	for len(r.next) == 0 {
		r.next = []byte(r.more())
	}
	n := copy(p, r.next)
	r.next = r.next[n:]
	return n, nil
}

func TestReadFails(t *testing.T) {
	failing := io.MultiReader(strings.NewReader(`{"Reservations":[{"Inst`), iotest.ErrReader(errors.New("no disk")))
	if err := New("").Read(failing); err == nil || !strings.Contains(err.Error(), "no disk") {
		t.Errorf("the error is %v", err)
	}
}

// Whatever the bytes, how they are cut into reads makes no difference, and instances
// have what identifies them.
func FuzzRead(f *testing.F) {
	f.Add([]byte(pages(f)), "")
	f.Add([]byte(`{"Reservations":[{"Instances":[{"InstanceId":"i-1","Tags":[{"Key":"a","Value":"b"}]}]}],"NextToken":"x"}`), "tag:a")
	f.Add([]byte(`[[{"InstanceId":"i-1","State":{"Name":"stopped"}},{"InstanceId":null}]]`), "image")
	f.Add([]byte("\xef\xbb\xbf[{\"Instances\":null}] 1"), "asg")
	f.Fuzz(func(t *testing.T, data []byte, by string) {
		whole, parts := New(Grouping(by)), New(Grouping(by))
		errWhole, errParts := whole.Read(bytes.NewReader(data)), parts.Read(iotest.OneByteReader(bytes.NewReader(data)))
		if fmt.Sprint(errWhole) != fmt.Sprint(errParts) || !reflect.DeepEqual(whole, parts) {
			t.Errorf("at once %v, %v; in parts %v, %v", whole, errWhole, parts, errParts)
		}
		for id, i := range whole.All() {
			if id == "" || i.Group.By == "" {
				t.Errorf("%q is %+v", id, i)
			}
		}
	})
}

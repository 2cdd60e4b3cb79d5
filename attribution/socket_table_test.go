package attribution

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
)

const tableHead = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

func tableRow(t Tuple, mapped bool, inode string) string {
	return fmt.Sprintf("   0: %s %s 01 00000000:00000000 00:00000000 00000000  1000        0 %s 1 0000000000000000 20 4 30 10 -1\n",
		tableAddr(t.Local, mapped), tableAddr(t.Remote, mapped), inode)
}

func TestFindInTable(t *testing.T) {
	one, other := tuple("10.0.0.5:40000", "169.254.169.254:80"), tuple("10.0.0.5:40001", "169.254.169.254:80")
	six := tuple("[2001:db8::5]:40000", "[fd00:ec2::254]:80")
	for _, test := range []struct {
		name   string
		table  string
		tuple  Tuple
		mapped bool
		want   uint64
		err    error
	}{
		{"empty", "", one, false, 0, nil},
		{"without rows", tableHead, one, false, 0, nil},
		{"IPv4", tableHead + tableRow(other, false, "1") + tableRow(one, false, "2"), one, false, 2, nil},
		{"closed, then opened again", tableHead + tableRow(one, false, "0") + tableRow(one, false, "2"), one, false, 2, nil},
		{"closed", tableHead + tableRow(one, false, "0"), one, false, 0, nil},
		{"IPv6", tableHead + tableRow(six, false, "3"), six, false, 3, nil},
		{"mapped", tableHead + tableRow(one, true, "4"), one, true, 4, nil},
		{"an inode of 64 bits", tableHead + tableRow(one, false, "18446744073709551615"), one, false, 1<<64 - 1, nil},
		{"no inode", tableHead + tableRow(one, false, "x"), one, false, 0, errProcFormat},
		{"another's broken row", "   0: nonsense\n" + tableRow(other, false, "x") + tableRow(one, false, "5"), one, false, 5, nil},
	} {
		key := tableKey(test.tuple, test.mapped)
		inodes, err := findInTable(strings.NewReader(test.table), map[string]bool{key: true})
		if got := inodes[key]; got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: %d, %v, want %d, %v", test.name, inodes[key], err, test.want, test.err)
		}
	}
}

func TestFindSeveralInTable(t *testing.T) {
	one, other := tuple("10.0.0.5:40000", "169.254.169.254:80"), tuple("10.0.0.5:40001", "169.254.169.254:80")
	keys := map[string]bool{tableKey(one, false): true, tableKey(other, false): true}
	table := tableHead + tableRow(one, false, "1") + tableRow(other, false, "2") + "what is not read any more"
	inodes, err := findInTable(strings.NewReader(table), keys)
	if err != nil || len(inodes) != 2 || inodes[tableKey(one, false)] != 1 || inodes[tableKey(other, false)] != 2 {
		t.Errorf("%v, %v", inodes, err)
	}
}

func TestFindInUnreadableTable(t *testing.T) {
	keys := map[string]bool{"a b": true}
	broken := errors.New("broken")
	if _, err := findInTable(iotest.ErrReader(broken), keys); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if _, err := findInTable(strings.NewReader(strings.Repeat("x", 2*maxTableLine)), keys); err == nil {
		t.Error("a line without end is read")
	}
}

func FuzzFindInTable(f *testing.F) {
	one := tuple("10.0.0.5:40000", "169.254.169.254:80")
	f.Add(tableHead+tableRow(one, false, "2"), false)
	f.Add(tableHead+tableRow(one, true, "0"), true)
	f.Fuzz(func(t *testing.T, table string, mapped bool) {
		key := tableKey(one, mapped)
		inodes, err := findInTable(strings.NewReader(table), map[string]bool{key: true})
		if inode := inodes[key]; len(inodes) > 0 && (err != nil || inode == 0 || !strings.Contains(table, key)) {
			t.Fatalf("socket %d, %v in %q", inode, err, table)
		}
	})
}

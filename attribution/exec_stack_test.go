package attribution

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// stackOf builds the stack of a program that is about to start: the number of
// its arguments, their addresses, those of an environment, a gap, the texts.
func stackOf(word, gap int, args ...string) userStack {
	const pointer, environment = 0x7ffc_0000, "SECRET=of the environment"
	texts := strings.Join(args, "\x00") + "\x00" + environment + "\x00"
	tables := (len(args) + 4) * word // argc, argv, NULL, envp, NULL
	address := uint64(pointer + tables + gap)
	words := []uint64{uint64(len(args))}
	for _, arg := range args {
		words = append(words, address)
		address += uint64(len(arg) + 1)
	}
	words = append(words, 0, address, 0)
	var b []byte
	for _, w := range words {
		if word == 4 {
			b = binary.NativeEndian.AppendUint32(b, uint32(w))
		} else {
			b = binary.NativeEndian.AppendUint64(b, w)
		}
	}
	return userStack{pointer, word, append(append(b, make([]byte, gap)...), texts...)}
}

func TestStackArgs(t *testing.T) {
	long := strings.Repeat("x", 3*MaxArgsBytes/4)
	cutShort := func(s userStack, n int) userStack {
		s.bytes = s.bytes[:n]
		return s
	}
	two := stackOf(8, 100, "curl", "-s")
	for _, test := range []struct {
		name       string
		stack      userStack
		args       []string
		cut, whole bool
	}{
		{"64 bits", two, []string{"curl", "-s"}, false, true},
		{"32 bits", stackOf(4, 100, "curl", "-s"), []string{"curl", "-s"}, false, true},
		{"an empty argument", stackOf(8, 0, "a", "", "b"), []string{"a", "", "b"}, false, true},
		{"no arguments", stackOf(8, 0), nil, false, true},
		{"more than is kept", stackOf(8, 8, long, long, "c"), []string{long, long[:MaxArgsBytes-len(long)-1]}, true, true},
		{"cut off behind the arguments", cutShort(two, 7*8-8+100+len("curl")+len("-s")+2), []string{"curl", "-s"}, false, true},
		{"cut off in an argument", cutShort(two, 7*8-8+100+len("curl")+len("-s")+1), []string{"curl"}, false, false},
		{"cut off in the gap", cutShort(two, 60), nil, false, false},
		{"cut off in the addresses", cutShort(two, 12), nil, false, false},
		{"nothing", userStack{word: 8}, nil, false, false},
	} {
		args, cut, whole := test.stack.args()
		if !slices.Equal(args, test.args) || cut != test.cut || whole != test.whole {
			t.Errorf("%s: %.60q, cut %v, whole %v", test.name, args, cut, whole)
		}
	}
}

// An address can be anywhere, whatever a kernel would write there.
func TestStackArgsElsewhere(t *testing.T) {
	for name, address := range map[string]uint64{"below": 0x1000, "above": 0x7fff_ffff_ffff, "last": ^uint64(0)} {
		s := stackOf(8, 0, "curl")
		binary.NativeEndian.PutUint64(s.bytes[8:], address)
		if args, _, whole := s.args(); len(args) > 0 || whole {
			t.Errorf("%s: %q, whole %v", name, args, whole)
		}
	}
}

func FuzzStackArgs(f *testing.F) {
	for _, word := range []int{4, 8} {
		s := stackOf(word, 16, "curl", "-s", "http://169.254.169.254/")
		f.Add(s.bytes, s.pointer, word == 4)
	}
	f.Fuzz(func(t *testing.T, b []byte, pointer uint64, narrow bool) {
		s := userStack{pointer, 8, b}
		if narrow {
			s.word = 4
		}
		args, _, _ := s.args()
		kept := 0
		for _, arg := range args {
			kept += len(arg)
			if !strings.Contains(string(b), arg) {
				t.Errorf("%q is from elsewhere", arg)
			}
		}
		if kept > MaxArgsBytes+len(b) {
			t.Errorf("%d bytes of %d", kept, len(b))
		}
	})
}

// stackSample is a sample with the stack as PERF_SAMPLE_STACK_USER has it.
func stackSample(abi uint64, size, filled int, raw []byte) []byte {
	b := sampleOf(7, 7, 99, raw)
	if abi == 0 {
		return binary.NativeEndian.AppendUint64(b, 0)
	}
	for _, word := range []uint64{abi, 0x7ffc, uint64(size)} {
		b = binary.NativeEndian.AppendUint64(b, word)
	}
	b = append(b, strings.Repeat("s", size)...)
	return binary.NativeEndian.AppendUint64(b, uint64(filled))
}

func TestStackSample(t *testing.T) {
	for _, test := range []struct {
		name         string
		body         []byte
		word, filled int // 0 for an error
	}{
		{"64 bits", stackSample(perfABI64, 64, 48, []byte("raw data")), 8, 48},
		{"32 bits", stackSample(perfABI32, 64, 64, []byte("raw data")), 4, 64},
		{"more filled than there is", stackSample(perfABI64, 64, 1000, nil), 8, 64},
		{"a kernel thread", stackSample(0, 0, 0, nil), 0, 0},
		{"an ABI that is not known", stackSample(9, 64, 64, nil), 0, 0},
	} {
		s, stack, err := parseStackSample(test.body)
		if (err != nil) != (test.word == 0) || stack.word != test.word || len(stack.bytes) != test.filled {
			t.Errorf("%s: words of %d, %d bytes, %v", test.name, stack.word, len(stack.bytes), err)
		}
		if s.pid != 7 {
			t.Errorf("%s: pid %d", test.name, s.pid)
		}
	}
	whole := stackSample(perfABI64, 64, 48, []byte("raw data"))
	for n := range whole {
		if _, _, err := parseStackSample(whole[:n]); err == nil {
			t.Errorf("no error for %d bytes of %d", n, len(whole))
		}
	}
}

func FuzzStackSample(f *testing.F) {
	f.Add(stackSample(perfABI64, 64, 48, []byte("raw data")))
	f.Add(stackSample(0, 0, 0, nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, stack, err := parseStackSample(body); err == nil && len(stack.bytes) > len(body) {
			t.Errorf("a stack of %d in %d bytes", len(stack.bytes), len(body))
		}
	})
}

package cli

import "testing"

func TestByteSize(t *testing.T) {
	tests := []struct {
		text  string
		want  byteSize
		shown string
	}{
		{"0", 0, "0"},
		{"1", 1, "1"},
		{"1000", 1000, "1000"},
		{"1024", 1 << 10, "1KiB"},
		{"64MiB", 64 << 20, "64MiB"},
		{"1536KiB", 1536 << 10, "1536KiB"},
		{"2GiB", 2 << 30, "2GiB"},
		{"8589934591GiB", 8589934591 << 30, "8589934591GiB"},
	}
	for _, tt := range tests {
		var b byteSize
		if err := b.Set(tt.text); err != nil || b != tt.want || b.String() != tt.shown {
			t.Errorf("%s is %d, shown as %s, %v", tt.text, int64(b), &b, err)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "+1", "1.5MiB", "64MB", "64 MiB", "64mib", "0x10", "8589934592GiB", "9223372036854775808", "1KiBKiB"} {
		b := byteSize(7)
		if err := b.Set(text); err == nil || b != 7 {
			t.Errorf("%q is %d", text, int64(b))
		}
	}
}

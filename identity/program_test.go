package identity

import "testing"

func TestProgramName(t *testing.T) {
	for name, want := range map[string]string{
		"python": "python", "python3": "python", "python2.7": "python", "python3.11": "python",
		"python3.6m": "python", "python3.2mu": "python", "python3.13t": "python", "python3.13td": "python",
		"python3.11-dbg": "python", "python3.11-intel64": "python", "Python": "python", "python.exe": "python",
		"platform-python": "python", "platform-python3.6": "python", "platform-python3.6m": "python",
		"pypy3": "pypy", "pypy3.9": "pypy",
		"perl5.36.0": "perl", "perl5.36-x86_64-linux-gnu": "perl",
		"ruby3.1": "ruby", "ruby-mri": "ruby", "node22": "node", "node-20": "node", "nodejs": "nodejs",
		"php8.2": "php", "php82": "php", "php-fpm8.2": "php-fpm", "php-fpm82": "php-fpm", "lua5.4": "lua",
		"bash": "bash", "bash-static": "bash", "busybox.static": "busybox", "ksh93": "ksh", "wget2": "wget",
		"python3-config": "python3-config", "python3x": "python3x", "perl5db": "perl5db", "node2vec": "node2vec",
		"pythond": "pythond", "sh2d": "sh2d", "": "", "7": "", "t": "t",
	} {
		if got := ProgramName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

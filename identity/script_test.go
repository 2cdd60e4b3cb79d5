package identity

import (
	"path"
	"slices"
	"strings"
	"testing"

	"imds-analyzer/attribution"
)

func file(name string) Script {
	return Script{Kind: ScriptFile, Name: name}
}
func atRoot(name string) Script { return Script{Kind: ScriptFile, Name: name, Path: name} }

var commands = Script{Kind: Commands}

func TestScript(t *testing.T) {
	tests := []struct {
		executable, args string // args with spaces between; "''" is an empty one
		want             Script
	}{
		{"/usr/bin/curl", "curl http://h/", Script{}},
		{"/usr/bin/shadow", "shadow x", Script{}},
		{"", "", Script{}},
		{"/usr/bin/bash", "", Script{}},

		{"/usr/bin/python3.11", "python3 -u /a.py x", atRoot("/a.py")},
		{"/usr/bin/python3.11", "anything at.py", file("at.py")},
		{"/usr/bin/python3.13t", "python3 -u /a.py", atRoot("/a.py")},
		{"/usr/bin/python3-config", "python3-config /a.py", Script{}},
		{"/usr/bin/bash-static", "bash-static /a.sh", atRoot("/a.sh")},
		{"/usr/bin/python2", "python app.py -c x", file("app.py")},
		{"/usr/bin/pypy3", "pypy3 -- -x.py", file("-x.py")},
		{"/usr/libexec/platform-python3.6", "python3 /a.py", atRoot("/a.py")},
		{"/usr/libexec/platform-python3.6", "/usr/libexec/platform-python -s /usr/bin/cloud-init init", atRoot("/usr/bin/cloud-init")},
		{"/usr/bin/python3", "python3 -W ignore -m http.server 80", Script{Kind: Module, Name: "http.server"}},
		{"/usr/bin/python3", "python3 -mhttp.server", Script{Kind: Module, Name: "http.server"}},
		{"/usr/bin/python3", "python3 -um http.server", Script{Kind: Module, Name: "http.server"}},
		{"/usr/bin/python3", "python3 -Wignore -Xdev -X utf8 -OO x.py", file("x.py")},
		{"/usr/bin/python3", "python3 --check-hash-based-pycs always x.py", file("x.py")},
		{"/usr/bin/python3", "python3 --check-hash-based-pycs=always x.py", file("x.py")},
		{"/usr/bin/python3", "python3 -m", Script{}},
		{"/usr/bin/python3", "python3 -W", Script{}},
		{"/usr/bin/python3", "python3 -", Script{}},
		{"/usr/bin/python3", "python3 -V", Script{}},
		{"/usr/bin/python3", "python3 -c import_x", commands},
		{"/usr/bin/python3", "python3 -Ic import_x", commands},
		{"/usr/bin/python3", "gunicorn:_master '' '' ''", Script{}},

		{"/usr/bin/bash", "-bash", Script{}},
		{"/usr/bin/bash", "bash -l", Script{}},
		{"/usr/bin/bash", "bash -lc curl", commands},
		{"/usr/bin/bash", "bash -eux /boot.sh", atRoot("/boot.sh")},
		{"/usr/bin/bash", "bash -euo pipefail boot.sh", file("boot.sh")},
		{"/usr/bin/bash", "bash -o pipefail -c x", commands},
		{"/usr/bin/bash", "bash +o posix -O extglob +e boot.sh", file("boot.sh")},
		{"/usr/bin/bash", "bash --rcfile /r -norc --posix boot.sh", file("boot.sh")},
		{"/usr/bin/bash", "bash -opipefail boot.sh", Script{}},
		{"/usr/bin/bash", "bash -s x", Script{}},
		{"/usr/bin/bash", "bash - boot.sh", file("boot.sh")},
		{"/usr/bin/bash", "bash /dev/fd/63", Script{Kind: ScriptFile, Name: "/dev/fd/63"}},
		{"/usr/bin/dash", "/bin/sh ./../boot.sh", file("./../boot.sh")},
		{"/usr/bin/zsh", "zsh --emulate sh -c x", commands},
		{"/bin/ksh93", "ksh boot.ksh", file("boot.ksh")},
		{"/bin/busybox", "sh boot.sh", file("boot.sh")},
		{"/bin/busybox", "/bin/busybox ash -c x", commands},
		{"/bin/busybox", "/bin/wget boot.sh", Script{}},
		{"/bin/busybox", "busybox", Script{}},

		{"/usr/bin/perl5.36.0", "perl -w -I lib -Mstrict x.pl", file("x.pl")},
		{"/usr/bin/perl", "perl -e print", commands},
		{"/usr/bin/perl", "perl -lne print", commands},
		{"/usr/bin/perl", "perl -MJSON -0777 -pi.bak x.pl", file("x.pl")},
		{"/usr/bin/perl", "perl -d:Trace x.pl", file("x.pl")},
		{"/usr/bin/perl", "perl -S x.pl", Script{Kind: ScriptFile, Name: "x.pl"}},
		{"/usr/bin/ruby3.1", "ruby -r json -Ilib -W0 x.rb", file("x.rb")},
		{"/usr/bin/ruby-mri", "/usr/bin/ruby-mri /a.rb", atRoot("/a.rb")},
		{"/usr/bin/ruby", "ruby -C /x x.rb", Script{Kind: ScriptFile, Name: "x.rb"}},
		{"/usr/bin/ruby", "ruby -C/x x.rb", Script{Kind: ScriptFile, Name: "x.rb"}},
		{"/usr/bin/ruby", "ruby --disable gems -ne puts", commands},

		{"/usr/bin/php8.2", "php -d a=b -f x.php", file("x.php")},
		{"/usr/bin/php8.2", "php -da=b -n --file=x.php", file("x.php")},
		{"/usr/bin/php", "php -r phpinfo", commands},
		{"/usr/bin/php", "php -S localhost:80 x.php", Script{}},
		{"/usr/bin/php", "php -f -", Script{}},
		{"/usr/sbin/php-fpm8.2", "php-fpm x", Script{}},

		{"/usr/bin/node", "node server.js", file("server.js")},
		{"/usr/bin/node", "node -r ./a --import=b --require c --max-old-space-size=99 server.js", file("server.js")},
		{"/usr/bin/nodejs", "node --no-warnings --inspect=0 -- server.js", file("server.js")},
		{"/usr/bin/node", "node --v8-pool-size 8 --snapshot-blob x.blob server.js", file("server.js")},
		{"/usr/bin/node", "node --test-reporter spec --test", Script{}},
		{"/usr/bin/node", "node -e x", commands},
		{"/usr/bin/node", "node --eval=x", commands},
		{"/usr/bin/node", "node -pe x", commands},
		{"/usr/bin/node", "node --run build", Script{}},
		{"/usr/bin/node", "node inspect server.js", Script{}},
		{"/usr/bin/node", "node ./inspect", file("./inspect")},

		{"/usr/bin/pwsh", "pwsh -File /a.ps1 -All", atRoot("/a.ps1")},
		{"/usr/bin/pwsh", "pwsh -NoProfile -NonInteractive /a.ps1 x", atRoot("/a.ps1")},
		{"/usr/bin/pwsh", "pwsh --nologo -ep Bypass -wd / -f a.ps1", file("a.ps1")},
		{"/usr/bin/pwsh", "pwsh -NoLogo -Command Get-Date", commands},
		{"/usr/bin/pwsh", "pwsh -ec ZABpAHIA", commands},
		{"/usr/bin/pwsh", "pwsh -Command -", Script{}},
		{"/usr/bin/pwsh", "pwsh -File -", Script{}},
		{"/usr/bin/pwsh", "pwsh -NoSuchFlag x.ps1", Script{}},
		{"/usr/bin/pwsh", "pwsh", Script{}},

		{"/usr/bin/deno", "deno run --allow-net=h -A --config d.json -q x.ts --port 80", file("x.ts")},
		{"/usr/bin/deno", "deno /srv/x.ts", atRoot("/srv/x.ts")},
		{"/usr/bin/deno", "deno serve --port 80 x.mjs", file("x.mjs")},
		{"/usr/bin/deno", "deno eval x", commands},
		{"/usr/bin/deno", "deno run -", Script{}},
		{"/usr/bin/deno", "deno run --lock x.ts", Script{}}, // which may be the lock's
		{"/usr/bin/deno", "deno run https://example.com/x.ts", Script{}},
		{"/usr/bin/deno", "deno run jsr:@std/http/file-server", Script{}},
		{"/usr/bin/deno", "deno task x.ts", Script{}},
		{"/usr/bin/bun", "bun --smol run --preload ./a.ts x.ts", file("x.ts")},
		{"/usr/bin/bun", "bun /srv/x.ts", atRoot("/srv/x.ts")},
		{"/usr/bin/bun", "bun run dev", Script{}},
		{"/usr/bin/bun", "bun build x.ts", Script{}},
		{"/usr/bin/bun", "bun -e x", commands},
		{"/usr/bin/dotnet", "dotnet /app/web.dll --urls x", atRoot("/app/web.dll")},
		{"/usr/bin/dotnet", "dotnet exec --depsfile a.json web.dll", file("web.dll")},
		{"/usr/bin/dotnet", "dotnet test web.dll", Script{}},
		{"/usr/bin/lua5.4", "lua -W -l json -lsocket x.lua y", file("x.lua")},
		{"/usr/bin/lua5.4", "lua -e print", commands},
		{"/usr/bin/lua5.4", "lua -", Script{}},

		// What a flag that is not known takes is not known.
		{"/usr/bin/python3", "python3 --new x x.py", Script{}},
		{"/usr/bin/python3", "python3 --new=x x.py", file("x.py")},
		{"/usr/bin/python3", "python3 -Z x x.py", Script{}},
		{"/usr/bin/python2", "python2 -Q old x.py", file("x.py")},
		{"/usr/bin/perl", "perl -CSD -l012 -dt:Trace -V:x x.pl", file("x.pl")},
		{"/usr/bin/perl", "perl -k x x.pl", Script{}},
		{"/usr/bin/ruby", "ruby --backtrace-limit 3 --disable-gems --parser prism x.rb", file("x.rb")},
		{"/usr/bin/ruby", "ruby --dump insns x.rb", Script{}},
		{"/usr/bin/ruby", "ruby --new x x.rb", Script{}},
		{"/usr/bin/php", "php --rf strlen", Script{}},
		{"/usr/bin/php", "php --repeat 2 x.php", file("x.php")},
		{"/usr/bin/php", "php --server h:80 x.php", Script{}},
		{"/usr/bin/node", "node --new x server.js", Script{}},
		{"/usr/bin/node", "node --enable-source-maps --trace-warnings --expose-gc server.js", file("server.js")},
		{"/usr/bin/java", "java --new x Main", Script{}},
		{"/usr/bin/java", "java -server -ea:x -javaagent:a.jar --enable-preview Main", Script{Kind: Class, Name: "Main"}},
		{"/usr/bin/bash", "bash --new x boot.sh", Script{}},
		{"/usr/bin/bash", "bash --norc --login boot.sh", file("boot.sh")},
		{"/bin/mksh", "mksh -T tty1 boot.sh", Script{}},

		{"/usr/bin/java", "java -Xmx1g -cp /a.jar:/b.jar com.example.Main x", Script{Kind: Class, Name: "com.example.Main"}},
		{"/usr/bin/java", "java --add-opens java.base/java.lang=ALL-UNNAMED -p mods Main", Script{Kind: Class, Name: "Main"}},
		{"/usr/bin/java", "java --class-path=x -Da=b Main", Script{Kind: Class, Name: "Main"}},
		{"/usr/bin/java", "java -jar /y.jar", Script{Jar, "/y.jar", "/y.jar", Package{}}},
		{"/usr/bin/java", "java -jar -Da=b y.jar", Script{Kind: Jar, Name: "y.jar"}},
		{"/usr/bin/java", "java -p mods -m app/com.example.Main", Script{Kind: Module, Name: "app/com.example.Main"}},
		{"/usr/bin/java", "java --source 21 main", file("main")},
		{"/usr/bin/java", "java Main.java", file("Main.java")},
		{"/usr/bin/java", "java @options Main", Script{}},
		{"/usr/bin/java", "java -version", Script{}},
	}
	for _, tt := range tests {
		args := strings.Fields(tt.args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "''", "")
		}
		got := scriptOf(&attribution.Process{Executable: tt.executable, Args: args, WorkingDirectory: "/srv"})
		if got != tt.want {
			t.Errorf("%s %q: %+v, want %+v", tt.executable, args, got, tt.want)
		}
	}
}

// What is not known of a process is not made up.
func TestScriptOfLittle(t *testing.T) {
	for _, tt := range []struct {
		name    string
		process attribution.Process
		want    Script
	}{
		{"by its name only", attribution.Process{Name: "python3", Args: []string{"x", "/a.py"}}, atRoot("/a.py")},
		{"no directory", attribution.Process{Name: "python3", Args: []string{"x", "a.py"}}, Script{Kind: ScriptFile, Name: "a.py"}},
		{"a name cut off", attribution.Process{Name: "python3", Args: []string{"x", "/a.p"}, ArgsTruncated: true}, Script{}},
		{"a flag cut off", attribution.Process{Name: "bash", Args: []string{"x", "-c"}, ArgsTruncated: true}, Script{}},
		{"commands cut off", attribution.Process{Name: "bash", Args: []string{"x", "-c", "curl"}, ArgsTruncated: true}, commands},
		{"all cut off", attribution.Process{Name: "bash", ArgsTruncated: true}, Script{}},
	} {
		if got := scriptOf(&tt.process); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// The nearest ancestor that runs a script is the caller, however far away; a shell
// that someone types into is none.
func TestCaller(t *testing.T) {
	ancestor := func(line string) attribution.Ancestor {
		args := strings.Fields(line)
		return attribution.Ancestor{Executable: args[0], Args: args}
	}
	for _, tt := range []struct {
		name       string
		line       []string // parent first
		want       Script
		generation int
	}{
		{"none", nil, Script{}, 0},
		{"typed by someone", []string{"/bin/bash", "/usr/sbin/sshd -D", "/sbin/init"}, Script{}, 0},
		{"login shell", []string{"/bin/bash -l", "/bin/login -p --"}, Script{}, 0},
		{"commands on standard input", []string{"/bin/bash -s"}, Script{}, 0},
		{"parent", []string{"/bin/bash /opt/boot.sh", "/sbin/init"}, atRoot("/opt/boot.sh"), 1},
		{"commands", []string{"/bin/sh -c curl", "/usr/bin/python3 /app.py"}, commands, 1},
		{"further up", []string{"/usr/bin/sudo curl", "/usr/bin/python3 /app.py", "/bin/sh /run.sh"}, atRoot("/app.py"), 2},
		{"behind a shell", []string{"/bin/bash", "/usr/bin/python3 -m app"}, Script{Kind: Module, Name: "app"}, 2},
	} {
		var line []attribution.Ancestor
		for _, l := range tt.line {
			line = append(line, ancestor(l))
		}
		s := New(Options{NoPackages: true}).Identify(&attribution.Process{PID: 7, Executable: "/usr/bin/curl", Ancestors: line}).Software
		if s.Caller != tt.want || s.Generation != tt.generation {
			t.Errorf("%s: %+v, %d generations up, want %+v, %d", tt.name, s.Caller, s.Generation, tt.want, tt.generation)
		}
	}
	cut := attribution.Ancestor{Name: "bash", Args: []string{"bash", "/opt/bo"}, ArgsTruncated: true}
	if caller, generation := callerOf([]attribution.Ancestor{cut}); generation != 0 {
		t.Errorf("of a name that is cut off: %+v, %d", caller, generation)
	}
}

// Whatever stands in the arguments, a script is one of them or the end of one,
// and a path is absolute.
func FuzzScript(f *testing.F) {
	for _, args := range []string{"python3\x00-um\x00http.server", "bash\x00-euo\x00pipefail\x00x", "java\x00-jar\x00y.jar", "deno\x00run\x00-A\x00x.ts", "pwsh\x00-File\x00x.ps1", "busybox\x00sh\x00-c\x00x", "\x00\x00"} {
		for _, program := range []string{"python3", "bash", "java", "busybox", "perl", "ruby", "php", "node", "deno", "bun", "dotnet", "pwsh"} {
			f.Add(program, args, "/srv", false)
		}
	}
	f.Fuzz(func(t *testing.T, program, joined, directory string, cut bool) {
		args := strings.Split(joined, "\x00")
		got := scriptOf(&attribution.Process{Executable: "/bin/" + program, Args: args, WorkingDirectory: directory, ArgsTruncated: cut})
		if cut {
			args = args[:len(args)-1]
		}
		isEnd := func(arg string) bool { return strings.HasSuffix(arg, got.Name) }
		switch {
		case got.Name != "" && !slices.ContainsFunc(args, isEnd):
			t.Errorf("%+v is from elsewhere", got)
		case got.Path != "" && (!path.IsAbs(got.Path) || path.Clean(got.Path) != got.Path || got.Name == ""):
			t.Errorf("%+v", got)
		case (got.Name == "") != (got.Kind == "" || got.Kind == Commands):
			t.Errorf("%+v", got)
		}
	})
}

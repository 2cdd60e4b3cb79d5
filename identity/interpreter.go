package identity

import (
	"slices"
	"strings"
)

// effect is what a flag of an interpreter does.
type effect int

const (
	isUnknown      effect = iota // what is run cannot be told from the arguments
	isFlag                       // nothing that matters here
	takesValue                   // a value follows, in the same argument or as the next
	takesNext                    // its value is the next argument; the flag is the last letter of its own
	takesDirectory               // a value: where the interpreter goes first
	takesSource                  // a value, and what is run is a source file
	endsCluster                  // the rest of the argument is its value, if it has one
	setsElsewhere                // the script is looked for in $PATH
	setsJar                      // what is run is a jar
	isCommands                   // commands follow
	isModule                     // the name of a module follows
	isFile                       // the name of a file follows
	effects                      // how many there are
)

// grammar says how an interpreter reads its arguments. A flag that is not in it may take
// the next argument for its value, so that nothing is known of what follows.
type grammar struct {
	letters   flags      // of flags that can share an argument; none if none can
	words     flags      // whole flags; they go before letters
	joined    []string   // what flags begin with that take no other argument
	commands  flags      // what can stand before the script's name
	operand   ScriptKind // what the first argument is that is no flag
	endings   []string   // of the names that such an argument has; nil if any
	plusFlags bool       // flags can begin with +
	dashEnds  bool       // "-" ends the flags, and is not standard input
	argFiles  bool       // @FILE has arguments in it
	anyCase   bool       // flags can be in upper or lower case, with one hyphen or two
}

// interpreters are programs that run other people's programs, by their ProgramName.
var interpreters = map[string]*grammar{
	"python": &python, "pypy": &python,
	"perl": &perl,
	"ruby": &ruby,
	"php":  &php,
	"lua":  &lua,
	"node": &node, "nodejs": &node,
	"deno": &deno, "bun": &bun,
	"java":   &java,
	"dotnet": &dotnet,
	"pwsh":   &pwsh,
	"sh":     &shell, "bash": &shell, "rbash": &shell, "dash": &shell, "ash": &shell, "zsh": &shell, "ksh": &shell, "mksh": &shell,
}

// python(1), "Command line and environment" in the Python documentation. Python 2 has -Q.
var python = grammar{
	letters: flags{isFlag: "bBdEhiIOPqRsStuvVx3", takesValue: "WXQ", isCommands: "c", isModule: "m"},
	words:   flags{takesValue: "--check-hash-based-pycs"},
	operand: ScriptFile,
}

// perlrun(1)
var perl = grammar{
	letters: flags{isFlag: "0123456789acdfghlnpstTuUvwWX", takesValue: "I", endsCluster: "CDFMVimx:", isCommands: "eE", setsElsewhere: "S"},
	operand: ScriptFile,
}

// ruby(1). --dump runs nothing.
var ruby = grammar{
	letters: flags{isFlag: "0123456789acdhlnpsUvwy", takesValue: "EIr", takesDirectory: "CX", endsCluster: "FKTWix", isCommands: "e", setsElsewhere: "S"},
	words: flags{takesValue: "--encoding --external-encoding --internal-encoding --enable --disable --backtrace-limit --parser --crash-report",
		isFlag: "--debug --verbose --jit --mjit --rjit --yjit --zjit --debug-frozen-string-literal", isUnknown: "--dump"},
	joined:  []string{"--enable-", "--disable-"},
	operand: ScriptFile,
}

// php(1). -S serves whatever lies in a directory, and --rf and its like tell of a function.
var php = grammar{
	letters: flags{isFlag: "aehilmnqsvwCH", takesValue: "cdtz", isCommands: "rBRE", isFile: "fF"},
	words: flags{takesValue: "--php-ini --define --docroot --zend-extension --repeat", isFlag: "--no-php-ini --no-chdir --profile-info --hide-args",
		isCommands: "--run --process-begin --process-code --process-end", isFile: "--file --process-file"},
	operand: ScriptFile,
}

// lua(1). Behind -e a script may follow.
var lua = grammar{
	letters: flags{isFlag: "ivEW", takesValue: "l", isCommands: "e"},
	operand: ScriptFile,
}

// node(1), "Command-line API" in the Node.js documentation. What the flags of
// V8 are set to stands behind "=".
var node = grammar{
	words: flags{takesValue: `-r --require --import --loader --experimental-loader -C --conditions --env-file --env-file-if-exists --input-type
		--experimental-default-type --title --icu-data-dir --openssl-config --tls-cipher-list --tls-keylog --dns-result-order
		--diagnostic-dir --redirect-warnings --trace-event-categories --trace-event-file-pattern --max-http-header-size
		--inspect-port --debug-port --inspect-publish-uid --unhandled-rejections --secure-heap --secure-heap-min
		--heapsnapshot-signal --heapsnapshot-near-heap-limit --report-dir --report-directory --report-filename --report-signal
		--cpu-prof-dir --cpu-prof-name --cpu-prof-interval --heap-prof-dir --heap-prof-name --heap-prof-interval
		--disable-warning --disable-proto --experimental-policy --policy-integrity --localstorage-file --watch-path
		--snapshot-blob --build-snapshot-config --v8-pool-size --use-largepages
		--test-concurrency --test-name-pattern --test-reporter --test-reporter-destination --test-shard --test-timeout
		--network-family-autoselection-attempt-timeout --allow-fs-read --allow-fs-write --experimental-config-file`,
		isFlag: `-i --interactive -c --check --abort-on-uncaught-exception --allow-addons --allow-child-process --allow-wasi --allow-worker
		--cpu-prof --heap-prof --inspect --inspect-brk --inspect-wait --disallow-code-generation-from-strings --enable-fips --force-fips
		--enable-network-family-autoselection --enable-source-maps --experimental-eventsource --experimental-import-meta-resolve
		--experimental-network-imports --experimental-network-inspection --experimental-permission --permission
		--experimental-print-required-tla --experimental-require-module --experimental-strip-types --experimental-transform-types
		--experimental-sqlite --experimental-vm-modules --experimental-wasm-modules --experimental-websocket --experimental-webstorage
		--experimental-worker --experimental-fetch --experimental-json-modules --experimental-specifier-resolution
		--expose-gc --expose_gc --force-context-aware --frozen-intrinsics --insecure-http-parser --jitless --optimize-for-size
		--node-memory-debug --openssl-legacy-provider --openssl-shared-config --pending-deprecation --preserve-symlinks
		--preserve-symlinks-main --prof --report-compact --report-on-fatalerror --report-on-signal --report-uncaught-exception
		--throw-deprecation --tls-max-v1.2 --tls-max-v1.3 --tls-min-v1.0 --tls-min-v1.1 --tls-min-v1.2 --tls-min-v1.3
		--track-heap-objects --use-bundled-ca --use-openssl-ca --use-system-ca --watch --watch-preserve-output --zero-fill-buffers`,
		isCommands: "-e --eval -p --print -pe"},
	joined:   []string{"--no-", "--trace-"},
	commands: flags{isUnknown: "inspect"}, // the debugger, which starts the script, or looks at a process
	operand:  ScriptFile,
}

// scriptEndings are those of the files that deno and bun are told from commands by.
var scriptEndings = []string{".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"}

// "deno run" in the Deno documentation. A permission has its value behind "=".
var deno = grammar{
	words: flags{takesValue: "-c --config --import-map --cert --location --seed -L --log-level --ext --preload --conditions --port --host",
		isFlag: `-A -N -R -W -E -S -P -q --quiet -r --reload --check --cached-only --frozen --watch --watch-hmr --env-file --vendor --node-modules-dir
		--unsafely-ignore-certificate-errors --inspect --inspect-brk --inspect-wait --enable-testing-features-do-not-use`},
	joined:   []string{"--allow-", "--deny-", "--no-", "--unstable"},
	commands: flags{isFlag: "run serve", isCommands: "eval"},
	operand:  ScriptFile,
	endings:  scriptEndings,
}

// bun: src/cli/Arguments.zig. What is no file is a script of package.json, which a shell
// runs.
var bun = grammar{
	words: flags{takesValue: `--env-file --cwd --main-fields --extension-order --tsconfig-override -d --define --drop --feature -l --loader
		--jsx-factory --jsx-fragment --jsx-import-source --jsx-runtime -r --preload --require --import --cpu-prof-name --cpu-prof-dir
		--heap-prof-name --heap-prof-dir --install --port -u --origin --conditions --fetch-preconnect --max-http-header-size
		--dns-result-order --redirect-warnings --disable-warning --title --unhandled-rejections --console-depth --user-agent`,
		isFlag: `--watch --hot --smol --bun -b --silent --if-present -i --prefer-offline --prefer-latest --preserve-symlinks
		--preserve-symlinks-main --expose-gc --cpu-prof --heap-prof --throw-deprecation --zero-fill-buffers --redis-preconnect --sql-preconnect`,
		isCommands: "-e --eval -p --print"},
	joined:   []string{"--no-"},
	commands: flags{isFlag: "run"},
	operand:  ScriptFile,
	endings:  scriptEndings,
}

// java(1). A flag with one hyphen has its value in the same argument, but for the ones here.
var java = grammar{
	words: flags{takesValue: `-cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules --enable-native-access --add-reads
		--add-exports --add-opens --limit-modules --patch-module -d --describe-module`,
		isFlag:  "--enable-preview --show-version --show-module-resolution --disable-@files --dry-run",
		setsJar: "-jar", isModule: "-m --module", takesSource: "--source"},
	joined: []string{"-X", "-D", "-ea", "-da", "-esa", "-dsa", "-enable", "-disable", "-verbose", "-javaagent:", "-agentlib:", "-agentpath:",
		"-splash:", "-server", "-client", "-showversion", "-d32", "-d64", "-noverify"},
	operand:  Class,
	argFiles: true,
}

// "dotnet command" in the .NET documentation: what is no file is a command of the SDK.
var dotnet = grammar{
	words:    flags{takesValue: "--additionalprobingpath --additional-deps --depsfile --runtimeconfig --fx-version --roll-forward"},
	commands: flags{isFlag: "exec"},
	operand:  ScriptFile,
	endings:  []string{".dll", ".exe"},
}

// about_Pwsh in the PowerShell documentation, with the short names that it lists.
var pwsh = grammar{
	words: flags{takesValue: `-configurationname -config -configurationfile -custompipename -executionpolicy -ex -ep -inputformat -inp -if
		-outputformat -o -of -settingsfile -settings -windowstyle -w -workingdirectory -wd -wo`,
		isFlag:     "-interactive -i -login -l -mta -noexit -noe -nologo -nol -noninteractive -noni -noprofile -nop -noprofileloadtime -sta",
		isCommands: "-command -c -commandwithargs -cwa -encodedcommand -e -ec", isFile: "-file -f"},
	operand: ScriptFile,
	anyCase: true,
}

// bash(1), dash(1), zshoptions(1), ksh(1). bash knows its long flags with one
// hyphen, too.
var shell = grammar{
	letters: flags{isFlag: "abdefghiklmnpqrtuvxyBCDEGHIPVXY", takesNext: "oO", isCommands: "c"},
	words: flags{takesValue: "--rcfile -rcfile --init-file -init-file --emulate",
		isFlag: `-norc -noprofile -posix -login -restricted -verbose -noediting
		--norc --noprofile --posix --login --restricted --verbose --noediting --no-rcs --no-global-rcs`},
	operand:   ScriptFile,
	plusFlags: true,
	dashEnds:  true,
}

// flags are those that do something, by what they do: letters, or words with
// spaces between.
type flags [effects]string

// letter returns what a flag of one letter does.
func (f *flags) letter(letter byte) effect {
	does := slices.IndexFunc(f[:], func(letters string) bool { return strings.IndexByte(letters, letter) >= 0 })
	return effect(max(does, int(isUnknown)))
}

// word returns what a whole flag does, and false if it is none of these.
func (f *flags) word(word string) (effect, bool) {
	for does, words := range f {
		for known := range strings.FieldsSeq(words) {
			if known == word {
				return effect(does), true
			}
		}
	}
	return isUnknown, false
}

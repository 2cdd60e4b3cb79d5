package identity

import "strings"

// effect is what a flag of an interpreter does.
type effect int

const (
	isFlag         effect = iota // nothing that matters here
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
	isUnknown                    // what is run is not among the arguments
)

// grammar says how an interpreter reads its arguments.
type grammar struct {
	letters   map[byte]effect   // of flags that can share an argument; nil if none can
	words     map[string]effect // of whole flags; they go before letters
	operand   ScriptKind        // what the first argument is that is no flag
	plusFlags bool              // flags can begin with +
	dashEnds  bool              // "-" ends the flags, and is not standard input
	argFiles  bool              // @FILE has arguments in it
}

// interpreters are programs that run other people's programs, by their ProgramName.
var interpreters = map[string]*grammar{
	"python": &python, "pypy": &python,
	"perl": &perl,
	"ruby": &ruby,
	"php":  &php,
	"node": &node, "nodejs": &node,
	"java": &java,
	"sh":   &shell, "bash": &shell, "rbash": &shell, "dash": &shell, "ash": &shell, "zsh": &shell, "ksh": &shell, "mksh": &shell,
}

// python(1), "Command line and environment" in the Python documentation.
var python = grammar{
	letters: letters(flags{takesValue: "WX", isCommands: "c", isModule: "m"}),
	words:   words(flags{takesValue: "--check-hash-based-pycs"}),
	operand: ScriptFile,
}

// perlrun(1)
var perl = grammar{
	letters: letters(flags{takesValue: "I", endsCluster: "CDFMVimx:", isCommands: "eE", setsElsewhere: "S"}),
	operand: ScriptFile,
}

// ruby(1)
var ruby = grammar{
	letters: letters(flags{takesValue: "EIr", takesDirectory: "CX", endsCluster: "FKTWix", isCommands: "e", setsElsewhere: "S"}),
	words:   words(flags{takesValue: "--encoding --external-encoding --internal-encoding --enable --disable"}),
	operand: ScriptFile,
}

// php(1). -S serves whatever lies in a directory.
var php = grammar{
	letters: letters(flags{takesValue: "cdtz", isCommands: "rBRE", isFile: "fF", isUnknown: "S"}),
	words: words(flags{takesValue: "--php-ini --define --docroot --zend-extension",
		isCommands: "--run --process-begin --process-code --process-end", isFile: "--file --process-file", isUnknown: "--server"}),
	operand: ScriptFile,
}

// node(1), "Command-line API" in the Node.js documentation. What the flags of
// V8 are set to stands behind "=".
var node = grammar{
	words: words(flags{takesValue: `-r --require --import --loader --experimental-loader -C --conditions --env-file --env-file-if-exists --input-type
		--experimental-default-type --title --icu-data-dir --openssl-config --tls-cipher-list --tls-keylog --dns-result-order
		--diagnostic-dir --redirect-warnings --trace-event-categories --trace-event-file-pattern --max-http-header-size
		--inspect-port --debug-port --inspect-publish-uid --unhandled-rejections --secure-heap --secure-heap-min
		--heapsnapshot-signal --heapsnapshot-near-heap-limit --report-dir --report-directory --report-filename --report-signal
		--cpu-prof-dir --cpu-prof-name --cpu-prof-interval --heap-prof-dir --heap-prof-name --heap-prof-interval
		--disable-warning --disable-proto --experimental-policy --policy-integrity --localstorage-file --watch-path
		--snapshot-blob --build-snapshot-config --v8-pool-size --use-largepages
		--test-concurrency --test-name-pattern --test-reporter --test-reporter-destination --test-shard --test-timeout
		--network-family-autoselection-attempt-timeout --allow-fs-read --allow-fs-write --experimental-config-file`,
		isCommands: "-e --eval -p --print -pe",
		isUnknown:  "--run --test --build-sea --experimental-sea-config"}),
	operand: ScriptFile,
}

// java(1)
var java = grammar{
	words: words(flags{takesValue: `-cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules --enable-native-access --add-reads
		--add-exports --add-opens --limit-modules --patch-module -d --describe-module`,
		setsJar: "-jar", isModule: "-m --module", takesSource: "--source"}),
	operand:  Class,
	argFiles: true,
}

// bash(1), dash(1), zshoptions(1), ksh(1). bash knows its long flags with one
// hyphen, too.
var shell = grammar{
	letters: letters(flags{takesNext: "oO", isCommands: "c", isUnknown: "s"}),
	words: words(flags{takesValue: "--rcfile -rcfile --init-file -init-file --emulate",
		isFlag: "-norc -noprofile -posix -login -restricted -verbose -noediting"}),
	operand:   ScriptFile,
	plusFlags: true,
	dashEnds:  true,
}

// flags are those that do something, by what they do: letters, or words with
// spaces between.
type flags map[effect]string

func letters(f flags) map[byte]effect {
	m := map[byte]effect{}
	for does, letters := range f {
		for _, letter := range []byte(letters) {
			m[letter] = does
		}
	}
	return m
}

func words(f flags) map[string]effect {
	m := map[string]effect{}
	for does, words := range f {
		for word := range strings.FieldsSeq(words) {
			m[word] = does
		}
	}
	return m
}

package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/internal/need"
)

// The shells, and how each tells what it would complete lines with: a line, and below
// it what there is. The script gets the name of a file with the completions and the
// lines.
var shells = map[string]struct{ needs, script string }{
	"bash": {"/usr/share/bash-completion/bash_completion", `
source /usr/share/bash-completion/bash_completion
source "$1"
compopt() { :; } # which works for bash's own calls alone
for COMP_LINE in "${@:2}"; do
	echo "$COMP_LINE"
	COMP_POINT=${#COMP_LINE} COMP_TYPE=63 COLUMNS=0
	read -ra COMP_WORDS <<<"$COMP_LINE"
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
	__start_flowfast
	printf '\t%s\n' "${COMPREPLY[@]}"
done`},
	"fish": {"", `
source $argv[1]
for line in $argv[2..]
	echo $line
	complete --do-complete $line | string replace -r '^' '\t'
end`},
	// compadd, of zsh's own, gives nothing out: what it would be given is written.
	"zsh": {"", `
compdef() { :; }
source "$1"
_describe() { print -l -- $'\t'${^completions}; }
_arguments() { :; }
for line in "${@:2}"; do
	print -r -- "$line"
	words=("${(@s: :)line}") CURRENT=${#words} PREFIX=${words[-1]}
	_flowfast
done`},
}

// TestShells has the shells that are installed complete lines with what the command
// gives them.
func TestShells(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test's own program is the command if it is called so: see TestMain.
	if err := os.Symlink(self, filepath.Join(dir, "flowfast")); err != nil {
		t.Skip(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	wanted := map[string][]string{
		"flowfast --profile nf":                {"nfstream"},
		"flowfast --format arr":                {"arrow", "arrows"},
		"flowfast --columns src_ip,bwd_pkt_s":  {"src_ip,bwd_pkt_size_kurt", "src_ip,bwd_pkt_size_q1"},
		"flowfast --columns src_ip,dst_ip,com": {"src_ip,dst_ip,community_id"},
		"flowfast --protocols tcp,udp,sc":      {"tcp,udp,sctp"},
		"flowfast labels show cse":             {"cse-cic-ids2018"},
		"flowfast live --tcp-end fin":          {"fin", "fin-rst"},
		"flowfast help filt":                   {"filters"},
		"flowfast col":                         {"columns"},
	}
	for shell, of := range shells {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err == nil && of.needs != "" {
				_, err = os.Stat(of.needs)
			}
			if err != nil {
				need.Missing(t, "COMPLETION", err)
			}
			var completions bytes.Buffer
			if status := run([]string{"completion", shell}, streams{nil, &completions, os.Stderr}); status != 0 {
				t.Fatal("exit status ", status)
			}
			file := filepath.Join(dir, shell)
			if err := os.WriteFile(file, completions.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
			args := []string{"-c", of.script}
			if shell != "fish" {
				args = append(args, shell)
			}
			out, err := exec.Command(path, append(append(args, file), slices.Sorted(maps.Keys(wanted))...)...).Output()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
			got, line := map[string]string{}, ""
			for text := range strings.Lines(string(out)) {
				if !strings.HasPrefix(text, "\t") {
					line = strings.TrimSpace(text)
				}
				got[line] += text
			}
			for line, names := range wanted {
				for _, name := range names {
					// Fish and zsh show what it is behind it.
					if !regexp.MustCompile(`(?m)^\t` + regexp.QuoteMeta(name) + `(\t|:| |$)`).MatchString(got[line]) {
						t.Errorf("%q: no %q in\n%s", line, name, got[line])
					}
				}
				if strings.Contains(got[line], "\\,") {
					t.Errorf("%q: commas are escaped in\n%s", line, got[line])
				}
			}
		})
	}
}

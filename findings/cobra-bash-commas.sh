#!/usr/bin/env bash
# github.com/spf13/cobra v1.10.2 writes completions for bash (GenBashCompletionV2) that
# do not do for values with commas between:
#   without descriptions   tcp,ud becomes tcp\,udp: bash needs no backslash there
#   with descriptions      nothing is found behind a comma
# The script escapes completions with printf %q, which escapes commas too; those with
# descriptions it then compares with the word as it was typed. Run with bash 5.2 and
# bash-completion 2.11.
# Needs Go and its module proxy, and Debian's bash-completion.
set -euo pipefail
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

cat >go.mod <<'MOD'
module finding

go 1.26
MOD
cat >main.go <<'GO'
package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func main() {
	list := func(names ...string) cobra.CompletionFunc {
		return func(_ *cobra.Command, _ []string, typed string) (found []string, _ cobra.ShellCompDirective) {
			before := typed[:strings.LastIndex(typed, ",")+1]
			for _, name := range names {
				found = append(found, before+name)
			}
			return found, cobra.ShellCompDirectiveNoFileComp
		}
	}
	root := &cobra.Command{Use: "finding", Run: func(*cobra.Command, []string) {}}
	root.AddCommand(&cobra.Command{Use: "script", RunE: func(*cobra.Command, []string) error {
		return root.GenBashCompletionV2(os.Stdout, true)
	}})
	root.Flags().String("plain", "", "")
	root.Flags().String("told", "", "")
	root.RegisterFlagCompletionFunc("plain", list("tcp", "udp", "sctp"))
	root.RegisterFlagCompletionFunc("told", list("tcp\tRFC 9293", "udp\tRFC 768", "sctp\tRFC 9260"))
	root.Execute()
}
GO
go get github.com/spf13/cobra@v1.10.2 2>/dev/null
go mod tidy 2>/dev/null
go build -o finding .
./finding script >script
export PATH=$temp:$PATH

cat >complete.bash <<'BASH'
source /usr/share/bash-completion/bash_completion
source script
compopt() { :; } # which works for bash's own calls alone
for COMP_LINE in 'finding --plain tcp,ud' 'finding --plain tcp\,udp,sc' 'finding --told tcp,ud'; do
	COMP_POINT=${#COMP_LINE} COMP_TYPE=9 COMPREPLY=()
	read -ra COMP_WORDS -r <<<"$COMP_LINE"
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	__start_finding
	echo "$COMP_LINE -> ${COMPREPLY[*]}"
done
BASH
cat >want <<'WANT'
finding --plain tcp,ud -> tcp\,udp
finding --plain tcp\,udp,sc -> tcp\,udp\,sctp
finding --told tcp,ud -> 
WANT
bash complete.bash | tee got
diff want got && echo "as seen: the right ones are tcp,udp; tcp,udp,sctp; tcp,udp"

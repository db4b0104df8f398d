package export

import (
	"slices"
	"strings"
	"testing"
)

// TestSelect wants lists of columns to mean what docs/cli.md says, one row for each of
// its sentences.
func TestSelect(t *testing.T) {
	all := func(profile string, role Role) []string {
		p, err := FindProfile(profile)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, c := range p.Columns {
			if c.Role == role {
				names = append(names, c.Name)
			}
		}
		return names
	}
	names := func(columns []*Column) []string {
		var names []string
		for _, c := range columns {
			names = append(names, c.Name)
		}
		return names
	}
	without := func(list []string, name string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(n string) bool { return n == name })
	}
	defaults := names(Columns())
	of := func(role Role) []string { return all("default", role) }
	for _, test := range []struct {
		name, profile, list string
		want                []string
	}{
		{"columns come in the order of the list", "default", "dst_ip,src_ip", []string{"dst_ip", "src_ip"}},
		{"a role stands for its columns", "default", "@identifier", []string{"src_ip", "src_port", "dst_ip", "dst_port"}},
		{"features are what has no other role", "default", "@feature", of(RoleFeature)},
		{"roles and names go together", "default", "start_time,@feature", append([]string{"start_time"}, of(RoleFeature)...)},
		{"what a role brings again stays where it is", "default", "duration,@feature", append([]string{"duration"}, without(of(RoleFeature), "duration")...)},
		{"a name that a role has brought stays there", "default", "@identifier,src_ip", of(RoleIdentifier)},
		{"a star stands for a profile", "pyflowmeter", "*", names(pyFlowMeter.Columns)},
		{"plus adds to the profile", "default", "+community_id", append(slices.Clone(defaults), "community_id")},
		{"plus adds a role", "default", "+cicflowmeter:@label", append(slices.Clone(defaults), "Label")},
		{"minus leaves out", "default", "-start_time", without(defaults, "start_time")},
		{"minus leaves out a role", "full", "-@feature,-@host,-@time", all("full", RoleIdentifier)},
		{"minus takes away what was chosen before", "default", "@identifier,-dst_port", []string{"src_ip", "src_port", "dst_ip"}},
		{"what was taken away can be chosen again", "default", "@identifier,-src_ip,src_ip", []string{"src_port", "dst_ip", "dst_port", "src_ip"}},
		{"a role of another profile", "default", "nfstream:@time", all("nfstream", RoleTime)},
		{"two of one name", "default", "src_ip,nfstream:src_ip", []string{"src_ip", "nfstream:src_ip"}},
		{"two of one name, the other way round", "default", "nfstream:src_ip,src_ip", []string{"src_ip", "default:src_ip"}},
		{"labels come later", "default", "@label", nil},
	} {
		p, err := FindProfile(test.profile)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := p.Select(strings.Split(test.list, ","), 0, nil)
		if got := names(columns); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %s of the profile %s are %q, error %v; want %q", test.name, test.list, test.profile, got, err, test.want)
		}
	}
	for list, want := range map[string]string{
		"@feeture":         `no role "feeture"; there are feature, identifier, time, host, label`,
		"@host":            "@host: the profile default has no such column",
		"nope:*":           `no profile "nope"`,
		"src_ip,src_ip":    `column "src_ip" is given twice`,
		"src_ip,-dst_ip":   `column "dst_ip" can't be left out: it was not chosen before`,
		"-start_tim":       `no column "start_tim"; the nearest is "start_time"`,
		"+comunity_id":     `no column "comunity_id"; the nearest is "community_id"`,
		"src_ip,-@nothing": `no role "nothing"`,
	} {
		p, _ := FindProfile("default")
		if _, err := p.Select(strings.Split(list, ","), 0, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", list, err, want)
		}
	}
}

// TestSelectMore wants the columns of the first packets and of quantiles to be those of
// a profile, once each.
func TestSelectMore(t *testing.T) {
	for list, want := range map[string]int{
		"@feature": 3 + 4, "@feature,splt_size": 3 + 4, "nfstream:splt_ps,splt_size": 2,
		"@feature,full:@feature": 3 + 4, "nfstream:@feature": 3 + 4, "*,nfstream:*": 3 + 3 + 4,
	} {
		p, _ := FindProfile("default")
		columns, err := p.Select(strings.Split(list, ","), 2, []float64{0.1})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		seen := map[string]bool{}
		for _, c := range columns {
			if seen[c.Name] {
				t.Errorf("%s: two columns are called %s", list, c.Name)
			}
			if seen[c.Name] = true; strings.HasPrefix(c.Name, "splt_") || strings.HasSuffix(c.Name, "_p10") {
				n++
			}
		}
		if n != want {
			t.Errorf("%s: %d columns of first packets and quantiles, want %d", list, n, want)
		}
	}
}

package export

import (
	"fmt"
	"slices"
	"strings"
)

// Select returns the columns that a list asks for, in its order. An item of it is
//
//	NAME           a column: of the profile first, with those of the first packets of
//	               a flow and of quantiles, then of the other profiles
//	PROFILE:NAME   a column of the profile of that name
//	@ROLE          the columns of a role, see [Roles]
//	*              all columns of the profile
//
// and the last two can have PROFILE: before them too. Behind + an item is added, as
// it is without; behind - what it names is taken away from what was chosen before. A
// list whose first item has one of these signs begins with all columns of the profile.
//
// A column that is called as one before it has the name of its profile in front. What
// is chosen may be nothing: @label names columns that are added later. An error names
// the nearest column where there is none, and the flag that a column comes with.
func (p Profile) Select(list []string, first int, quantiles []float64) ([]*Column, error) {
	s := selection{profile: p, more: p.more(first, quantiles), first: first, of: map[string][]*Column{}, named: map[*Column]bool{}}
	s.of[p.Name] = slices.Concat(p.Columns, s.more)
	if len(list) > 0 && (strings.HasPrefix(list[0], "+") || strings.HasPrefix(list[0], "-")) {
		s.add(s.of[p.Name], p.Name)
	}
	for _, item := range list {
		name := strings.TrimPrefix(item, "+")
		take := s.take
		if rest, ok := strings.CutPrefix(item, "-"); ok {
			name, take = rest, s.remove
		}
		if err := take(name); err != nil {
			return nil, err
		}
	}
	return s.chosen, nil
}

// A selection is a list of columns in the making.
type selection struct {
	profile Profile
	more    []*Column // of the first packets and of quantiles
	first   int
	of      map[string][]*Column // by profile: made once, so that one is the same each time
	chosen  []*Column
	origins []*Column        // what each of the chosen is, before it was given another name
	named   map[*Column]bool // chosen by its own name, which is done once
}

// columns returns all columns of a profile. Those of quantiles are of all.
func (s *selection) columns(p Profile) []*Column {
	all, ok := s.of[p.Name]
	if !ok {
		more := s.more
		if (p.first != nil || s.profile.first != nil) && s.first > 0 {
			more = slices.Concat(p.SPLT(s.first), more[len(s.profile.SPLT(s.first)):])
		}
		all = slices.Concat(p.Columns, more)
		s.of[p.Name] = all
	}
	return all
}

// take adds what an item names. What a role or a profile brings may be there already.
func (s *selection) take(item string) error {
	columns, profile, ok, err := s.group(item)
	switch {
	case err != nil:
		return err
	case ok && len(columns) == 0 && !strings.HasSuffix(item, "@"+RoleLabel.String()):
		return fmt.Errorf("%s: the profile %s has no such column", item, profile)
	case ok:
		s.add(columns, profile)
		return nil
	}
	c, profile := s.find(item)
	switch {
	case c == nil:
		return s.profile.noColumn(item, s.more)
	case s.named[c]:
		return fmt.Errorf("column %q is given twice", item)
	}
	s.named[c] = true
	s.add([]*Column{c}, profile)
	return nil
}

// remove takes away what an item names.
func (s *selection) remove(item string) error {
	columns, _, ok, err := s.group(item)
	if err != nil {
		return err
	}
	if !ok {
		c, _ := s.find(item)
		if c == nil {
			return s.profile.noColumn(item, s.more)
		}
		if !slices.Contains(s.origins, c) {
			return fmt.Errorf("column %q can't be left out: it was not chosen before", item)
		}
		columns = []*Column{c}
	}
	for _, c := range columns {
		if i := slices.Index(s.origins, c); i >= 0 {
			s.origins, s.chosen = slices.Delete(s.origins, i, i+1), slices.Delete(s.chosen, i, i+1)
			delete(s.named, c)
		}
	}
	return nil
}

// group returns the columns of a role or of a profile, if an item names one of these,
// and the profile that they are of.
func (s *selection) group(item string) (columns []*Column, profile string, ok bool, err error) {
	p, rest := s.profile, item
	if before, behind, qualified := strings.Cut(item, ":"); qualified {
		rest = behind
		if rest != "*" && !strings.HasPrefix(rest, "@") {
			return nil, "", false, nil
		}
		if p, err = FindProfile(before); err != nil {
			return nil, "", true, err
		}
	}
	columns = slices.Clone(s.columns(p))
	if rest == "*" {
		return columns, p.Name, true, nil
	}
	name, ok := strings.CutPrefix(rest, "@")
	if !ok {
		return nil, "", false, nil
	}
	role, err := roleNamed(name)
	return slices.DeleteFunc(columns, func(c *Column) bool { return c.Role != role }), p.Name, true, err
}

// find returns the column that a name means, nil if there is none, and the profile that
// it was found in.
func (s *selection) find(name string) (c *Column, profile string) {
	if c := find(s.columns(s.profile), name); c != nil {
		return c, s.profile.Name
	}
	for _, other := range Profiles() {
		of := s.columns(other)
		c := find(of, name)
		if rest, ok := strings.CutPrefix(name, other.Name+":"); ok && c == nil {
			c = find(of, rest)
		}
		if c != nil {
			return c, other.Name
		}
	}
	return nil, ""
}

// add adds columns that are not there yet. One that is called as one that is there gets
// the name of its profile in front.
func (s *selection) add(columns []*Column, profile string) {
	for _, c := range columns {
		if slices.Contains(s.origins, c) {
			continue
		}
		s.origins = append(s.origins, c)
		if find(s.chosen, c.Name) != nil {
			renamed := *c
			renamed.Name = profile + ":" + c.Name
			c = &renamed
		}
		s.chosen = append(s.chosen, c)
	}
}

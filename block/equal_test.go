package block_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/block"
	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/internal/need"
)

// A job is options and the columns of rows.
type job struct {
	name    string
	options flowfast.Options
	columns []*export.Column
}

// jobOf returns a job with a profile, but for the column that numbers rows.
func jobOf(t testing.TB, profile string, splt int, o flowfast.Options) job {
	p, err := export.FindProfile(profile)
	if err != nil {
		t.Fatal(err)
	}
	columns := slices.DeleteFunc(p.With(splt, []float64{0.1}), func(c *export.Column) bool { return c.Numbered })
	return job{profile, o.For(p.Demand(columns, splt, []float64{0.1})), columns}
}

// joined returns the rows of captures that are read as one stream, in order.
func (j job) joined(t *testing.T, files ...string) []string {
	run, err := flowfast.Open(j.options, files...)
	if err != nil {
		t.Fatal(err)
	}
	return j.write(t, run)
}

func (j job) write(t *testing.T, run *flowfast.Run) []string {
	var out bytes.Buffer
	if err := run.Write(t.Context(), &out, export.NewCSV(j.columns)); err != nil {
		if damaged := "ring_"; !strings.Contains(err.Error(), damaged) {
			t.Fatal(err)
		}
	}
	return slices.Collect(strings.Lines(out.String()))[1:]
}

// partition returns the blocks of captures, by bucket.
func (j job) partition(t testing.TB, buckets int, files ...string) [][]byte {
	all := make([][]byte, buckets)
	for _, file := range files {
		run, err := flowfast.Open(j.options, file)
		if err != nil {
			t.Fatal(err)
		}
		_ = j.blocks(t, run, block.Capture{Name: file, Part: 1, Parts: 1}, all)
	}
	return all
}

// blocks adds the blocks of a run to those of each bucket, and returns the run's error.
func (j job) blocks(t testing.TB, run *flowfast.Run, of block.Capture, all [][]byte) error {
	w, err := block.NewWriter(block.Header{Features: j.options.Features.Set, Buckets: len(all), Seed: 1, Capture: of}, &memory{})
	if err != nil {
		t.Fatal(err)
	}
	damage, why := "", run.Partition(t.Context(), len(all), 1, w.Add)
	if why != nil {
		damage = why.Error()
	}
	if p := run.Summary().Part; p != nil {
		if w.Part(p.Begin, p.End, p.Through); p.Through == 0 {
			return why
		}
	}
	if err := w.End(damage); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		var b bytes.Buffer
		if n, err := w.WriteBlock(&b, i); err != nil || n != int64(b.Len()) {
			t.Fatalf("%d bytes of %d: %v", n, b.Len(), err)
		}
		all[i] = append(all[i], b.Bytes()...)
	}
	return why
}

// A memory is a spool.
type memory struct{ b []byte }

func (m *memory) Write(b []byte) (int, error) { m.b = append(m.b, b...); return len(b), nil }
func (m *memory) ReadAt(b []byte, at int64) (int, error) {
	return bytes.NewReader(m.b).ReadAt(b, at)
}

// A keyed is rows behind what those of all buckets are sorted by, in columns of digits.
type keyed struct {
	export.CSV
	of *block.Source
}

func (k keyed) AppendHeader(b []byte) []byte { return b }

func (k keyed) AppendRow(b []byte, f *flowtable.Flow) []byte {
	const lowest = 1 << 63 // the earliest time is 0
	b = fmt.Appendf(b, "%08x%08x%016x%016x%016x%016x:", k.of.Range(f), f.Era, uint64(f.Finish)^lowest, uint64(f.Start)^lowest,
		uint64(f.Origin.Place)^lowest, f.Origin.Packet)
	return k.CSV.AppendRow(b, f)
}

// flows returns the rows of blocks, in the order of rows.
func (j job) flows(t *testing.T, all [][]byte) (rows []string, err error) {
	for _, b := range all {
		blocks, err := block.Find(bytes.NewReader(b), int64(len(b)), "memory")
		if err != nil {
			return nil, err
		}
		source, err := block.NewSource(blocks, j.options.Features.Set)
		if err != nil {
			return nil, err
		}
		defer source.Close()
		source.Resolution, source.Monotone = j.options.Resolution, j.options.Monotone
		source.Ranges, source.Idle = 1+len(all)/3*4, j.options.IdleTimeout
		options := j.options
		options.Origins = true
		run, err := flowfast.NewTaken(options, source)
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		if err := run.Write(t.Context(), &out, keyed{export.NewCSV(j.columns), source}); err != nil {
			return nil, err
		}
		rows = append(rows, slices.Collect(strings.Lines(out.String()))...)
	}
	slices.Sort(rows)
	for i, row := range rows {
		_, rows[i], _ = strings.Cut(row, ":")
	}
	return rows, nil
}

// compare compares the rows of blocks with those of --join.
func (j job) compare(t *testing.T, buckets int, files ...string) {
	t.Helper()
	j.compareBlocks(t, j.partition(t, buckets, files...), files...)
}

// compareBlocks is compare for blocks that are there.
func (j job) compareBlocks(t *testing.T, blocks [][]byte, files ...string) {
	t.Helper()
	want, buckets := j.joined(t, files...), len(blocks)
	got, err := j.flows(t, blocks)
	if err != nil {
		t.Errorf("%s: %v", j.name, err)
		return
	}
	if slices.Equal(got, want) {
		return
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("%s, %d buckets: %d rows, want %d; row %d\n%swant\n%s", j.name, buckets, len(got), len(want), i, got[i], want[i])
			return
		}
	}
	t.Errorf("%s, %d buckets: %d rows, want %d", j.name, buckets, len(got), len(want))
}

// jobs are all profiles, and rules.
func jobs(t *testing.T) []job {
	one := flowfast.Options{Workers: 1}
	all := one
	all.Protocols, all.Keys.Encapsulation = decode.AllProtocols, decode.VLANTags
	rules := one
	rules.IdleTimeout = 60 * time.Second
	rules.Rules = flowtable.Rules{ActiveTimeout: 30 * time.Second, TCPEnd: flowtable.EndFIN | flowtable.EndRST}
	way := flowfast.Options{Workers: 2}
	way.Keys.OneWay, way.Keys.Sample = true, 2
	return []job{
		jobOf(t, "default", 0, one), jobOf(t, "full", 3, one), jobOf(t, "cicflowmeter", 0, one), jobOf(t, "nfstream", 2, one),
		jobOf(t, "pyflowmeter", 0, one), jobOf(t, "full", 0, all), jobOf(t, "default", 0, rules), jobOf(t, "default", 0, way),
	}
}

// archives is how many generated archives are tried.
func archives() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("FLOWFAST_ARCHIVES"), 10, 64); err == nil {
		return n
	}
	return 4
}

// The rows of all buckets are those of --join, wherever an archive is cut.
func TestArchives(t *testing.T) {
	for seed := range archives() {
		r := rand.New(rand.NewPCG(seed, 1))
		files := archive(t, r, traffic(r, 1500, false), 1+r.IntN(6), seed%2 == 0)
		for _, j := range jobs(t) {
			j.compare(t, 1+r.IntN(9), files...)
		}
	}
}

// Clocks that are set back make captures overlap, in whichever order they come.
func TestClocksSetBack(t *testing.T) {
	for seed := range archives() {
		r := rand.New(rand.NewPCG(seed, 2))
		files := archive(t, r, traffic(r, 1500, true), 1+r.IntN(6), false)
		for _, j := range jobs(t) {
			if j.options.Monotone && len(files) > 1 {
				continue // which may be refused
			}
			j.compare(t, 1+r.IntN(9), files...)
		}
	}
}

// TestShared takes all shared captures as one archive.
func TestShared(t *testing.T) {
	var files []string
	for _, dir := range []string{"../../shared/captures", "../../shared/cases"} {
		found, err := filepath.Glob(dir + "/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			run, err := flowfast.Open(flowfast.Options{Workers: 1}, f)
			if err == nil {
				err = run.Partition(t.Context(), 1, 1, func(*flowtable.Batch) error { return nil })
			}
			if err == nil {
				files = append(files, f)
			}
		}
	}
	if len(files) == 0 {
		need.Missing(t, "SHARED CAPTURES", "there are none beside the repository")
	}
	all := jobs(t)
	if os.Getenv("FLOWFAST_ARCHIVES") == "" {
		files, all = files[:min(len(files), 80)], all[:4]
	}
	for _, j := range all {
		j.compare(t, 16, files...)
	}
}

// ticks returns packets of a few flows, one each so many nanoseconds, whose clock is
// set back by an hour in front of each of some packets. There, flows come again that
// have been over since soon after the first packets.
func ticks(n int, begin, each int64, back ...int) []frame {
	all := make([]frame, n)
	at := begin
	for i := range all {
		if slices.Contains(back, i) {
			at -= 3600e9
		}
		port := uint16(80 + i%3)
		if i < 50 || slices.ContainsFunc(back, func(b int) bool { return b <= i && i < b+50 }) {
			port = 7
		} else if slices.ContainsFunc(back, func(b int) bool { return b-2000 <= i && i < b }) && i%40 == 0 {
			port = uint16(9000 + i/40) // which do not come again
		}
		all[i] = frame{at: at, data: ipv4(17, byte(1+i%7), byte(1+i%5), 0, 0, udp(1000, port, nil))}
		at += each
	}
	return all
}

// Where the clock steps back past a window of packets, the same flows end in all
// buckets as in --join; where blocks can't tell, they are refused.
func TestLongStepsBack(t *testing.T) {
	const n, each = 3 * flowtable.Window, 10e6 // 33 minutes
	write := func(all ...[]frame) (names []string) {
		dir := t.TempDir()
		for i, frames := range all {
			names = append(names, filepath.Join(dir, fmt.Sprintf("ring_%d.pcap", i)))
			if err := os.WriteFile(names[i], pcap(frames), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return names
	}
	const day = 24 * 3600e9
	stray := ticks(n, 5*day, each)
	stray[2*flowtable.Window+5] = frame{day, stray[3].data, false} // one packet of another time
	j := jobOf(t, "default", 0, flowfast.Options{Workers: 1, IdleTimeout: 500 * time.Second})
	for _, files := range [][]string{
		write(ticks(n, day, each, 2*flowtable.Window+9)),
		write(ticks(n, day, each, 2*flowtable.Window+9, n-1000)),
		write(ticks(1000, day, each), ticks(n, 3*day, each, 2*flowtable.Window+77), ticks(5000, 4*day, each)),
		write(ticks(1000, day, each), stray, ticks(5000, 7*day, each)),
	} {
		run, err := flowfast.Open(j.options, files...)
		if err != nil {
			t.Fatal(err)
		}
		for range run.Flows(t.Context()) {
		}
		if !strings.Contains(fmt.Sprint(run.Summary().Warnings), "flows finished before a step") {
			t.Errorf("the clock of %s does not step back", files)
		}
		j.compare(t, 2, files...)
		j.compare(t, 300, files...) // in some of which nothing comes after a step
	}
	// A second capture has packets of the time before the step.
	files := write(ticks(n, day, each, 2*flowtable.Window+9), ticks(n/2, day+700e9, each))
	if _, err := j.flows(t, j.partition(t, 2, files...)); err == nil || !strings.Contains(err.Error(), "only flowfast --join tells") {
		t.Errorf("captures of which blocks can't tell the steps: %v", err)
	}
}

// parts makes blocks of the parts of a file, and returns how many were read through by one in
// front of them. The others have as many packets as the file.
func (j job) parts(t *testing.T, buckets, of int, file string) (blocks [][]byte, through int) {
	blocks = make([][]byte, buckets)
	next, packets := 1, uint64(0)
	for part := 1; part <= of; part++ {
		run, err := flowfast.OpenPart(j.options, file, part, of)
		if err != nil {
			t.Fatal(err)
		}
		damaged := j.blocks(t, run, block.Capture{Name: file, Part: part, Parts: of}, blocks)
		if part < next {
			through++
			continue
		}
		packets += run.Summary().Packets
		if next = run.Summary().Part.Through + 1; damaged != nil {
			next = of + 1
		}
	}
	run, err := flowfast.Open(j.options, file)
	if err != nil {
		t.Fatal(err)
	}
	_ = run.Partition(t.Context(), 1, 1, func(*flowtable.Batch) error { return nil })
	if want := run.Summary().Packets; packets != want {
		t.Errorf("%s, %d parts: %d packets, want %d", j.name, of, packets, want)
	}
	return blocks, through
}

// Parts of a file make the rows of the whole, wherever they are cut.
func TestParts(t *testing.T) {
	jobs := jobs(t)
	for seed := range archives() {
		r := rand.New(rand.NewPCG(seed, 9))
		frames := traffic(r, 3000, seed%2 == 0)
		all, through := 0, 0
		for i, format := range []func([]frame) []byte{pcap, pcapng} {
			file := filepath.Join(t.TempDir(), "ring_0.cap")
			b := format(frames)
			switch seed {
			case 1:
				b = append(b[:len(b)-5], "\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xffno record is like this"...)
			case 2: // a second header, or another section, with interfaces of its own
				n := len(frames) / 3
				second := format(frames[n:])
				second[[]int{20, 36}[i]] = 101 // whose packets have another link type
				b = append(format(frames[:n]), second...)
			case 3: // payload that looks like records
				fake := format(slices.Repeat([]frame{{at: frames[0].at, data: make([]byte, 84)}}, 500))[64:]
				some := slices.Clone(frames)
				for i := range 150 {
					some[20*i].data, some[20*i].more = ipv4(17, 1, 2, 0, 0, udp(5, 6, fake[4*r.IntN(30):][:8000])), false
				}
				b = format(some)
			}
			if err := os.WriteFile(file, b, 0o600); err != nil {
				t.Fatal(err)
			}
			for k := range 5 {
				j, of := jobs[(5*i+k)%len(jobs)], 2+r.IntN(40)
				blocks, n := j.parts(t, 3, of, file)
				all, through = all+of-1, through+n
				j.compareBlocks(t, blocks, file)
			}
		}
		t.Logf("archive %d: %d of %d parts were read by the one in front", seed, through, all)
		if through > all/2 && seed != 2 {
			t.Errorf("archive %d: %d of %d parts were read by the one in front", seed, through, all)
		}
	}
}

// Where late packets are few windows behind, the clock of a file that is dense does not step
// back at a cut; where it steps back there, parts are refused.
func TestSeams(t *testing.T) {
	const n, each = 5 * flowtable.Window, 1000
	r := rand.New(rand.NewPCG(3, 9))
	frames := ticks(n, 24*3600e9, each)
	for i := range frames {
		if i < flowtable.Window+1000 { // of no flow, which is a reason to take care
			frames[i].data = []byte("\xff\xff\xff\xff\xff\xff\x02\x00\x5e\x00\x00\x02\x08\x06 a question to all of them ...")[:len(frames[i].data)]
			continue
		}
		frames[i].at += (6000 - r.Int64N(5000)) * each
	}
	file := filepath.Join(t.TempDir(), "ring_0.pcap")
	write := func(all []frame) {
		if err := os.WriteFile(file, pcap(all), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(frames)
	for _, profile := range []string{"default", "nfstream"} {
		j := jobOf(t, profile, 0, flowfast.Options{Workers: 1})
		blocks, through := j.parts(t, 2, 3, file)
		if j.compareBlocks(t, blocks, file); through > 0 {
			t.Errorf("%d of 3 parts were read by one in front", through)
		}
	}
	size := len(pcap(frames))
	behind := (size/3 - 24 + (size-24)/n - 1) / ((size - 24) / n) // the first packet behind the cut: all have a length
	for i := behind; i < n; i++ {
		frames[i].at -= 2 * flowtable.Window * each
	}
	write(frames)
	j := jobOf(t, "default", 0, flowfast.Options{Workers: 1})
	blocks, _ := j.parts(t, 2, 3, file)
	if _, err := j.flows(t, blocks); err == nil || !strings.Contains(err.Error(), "read it as a whole") {
		t.Errorf("a step of the clock behind a cut: %v", err)
	}
}

func TestPartsThatAreMissing(t *testing.T) {
	j := jobs(t)[0]
	r := rand.New(rand.NewPCG(2, 9))
	file := filepath.Join(t.TempDir(), "ring_0.pcap")
	if err := os.WriteFile(file, pcap(traffic(r, 200, false)), 0o600); err != nil {
		t.Fatal(err)
	}
	all := make([][]byte, 1)
	for _, part := range []int{1, 3} {
		run, err := flowfast.OpenPart(j.options, file, part, 3)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.blocks(t, run, block.Capture{Name: file, Part: part, Parts: 3}, all); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.flows(t, all); err == nil || !strings.Contains(err.Error(), "part 2 is missing") {
		t.Errorf("parts 1 and 3 of 3: %v", err)
	}
}

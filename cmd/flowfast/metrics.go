package main

import (
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/live"
)

// reasons counts flows by why they ended.
type reasons [flowtable.Closed + 1]atomic.Int64

// Counted rows count flows by why they ended.
type counted struct {
	flowfast.Rows
	by *reasons
}

func (c counted) AppendRow(b []byte, f *flowfast.Flow) []byte {
	c.by[f.Reason].Add(1)
	return c.Rows.AppendRow(b, f)
}

// A figures is what a live run tells Prometheus, when that asks.
type figures struct {
	run    *flowfast.Run
	ring   *live.Ring
	out    liveSink
	server *server // nil for none
	ended  *reasons
	pulse  *pulse
}

// A figure is the description of a metric.
type figure struct {
	of   *prometheus.Desc
	kind prometheus.ValueType
}

func counter(name, help string, labels ...string) figure {
	return figure{prometheus.NewDesc("flowfast_"+name, help, labels, nil), prometheus.CounterValue}
}

func gauge(name, help string) figure {
	return figure{prometheus.NewDesc("flowfast_"+name, help, nil, nil), prometheus.GaugeValue}
}

var (
	packetsFigure  = counter("packets_total", "Packets read, by class.", "class")
	bytesFigure    = counter("bytes_total", "Captured bytes of the packets read.")
	openFigure     = gauge("flows_open", "Flows that are open.")
	endedFigure    = counter("flows_ended_total", "Flows that ended, by reason.", "reason")
	rowsFigure     = counter("rows_written_total", "Rows written.")
	outputFigure   = counter("output_bytes_total", "Bytes of the files written.")
	kernelFigure   = counter("kernel_packets_total", "Packets that the kernel had for the ring.")
	droppedFigure  = counter("kernel_dropped_total", "Packets that the kernel dropped, since the ring was full.")
	freezesFigure  = counter("ring_freezes_total", "Times at which the ring was full.")
	largeFigure    = counter("frames_over_mtu_total", "Frames longer than the MTU: several packets in one.")
	cutFigure      = counter("frames_cut_total", "Frames that the snap length cut.")
	missingFigure  = gauge("interfaces_missing", "Interfaces that are not there or down.")
	latestFigure   = gauge("last_packet_timestamp_seconds", "Time of the latest packet read.")
	lagFigure      = gauge("lag_seconds", "How long the packet read last had been waiting, of all that were read with it the longest.")
	mostLagFigure  = gauge("lag_max_seconds", "The longest that a packet has been waiting.")
	lostRowsFigure = counter("rows_lost_total", "Rows that could not be written.")
	readersFigure  = gauge("served_readers", "Readers that are connected to --serve.")
	servedFigure   = counter("served_rows_total", "Rows written to readers; each reader counts.")
	unservedFigure = counter("served_rows_dropped_total", "Rows that readers did not get, by reason.", "reason")
	figuresOfRun   = []figure{packetsFigure, bytesFigure, openFigure, endedFigure, rowsFigure, outputFigure, kernelFigure,
		droppedFigure, freezesFigure, largeFigure, cutFigure, missingFigure, latestFigure, lagFigure, mostLagFigure,
		lostRowsFigure, readersFigure, servedFigure, unservedFigure}
)

func (f *figures) Describe(to chan<- *prometheus.Desc) {
	for _, figure := range figuresOfRun {
		to <- figure.of
	}
}

func (f *figures) Collect(to chan<- prometheus.Metric) {
	tell := func(figure figure, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(figure.of, figure.kind, value, labels...)
	}
	p, c := f.run.Progress(), f.ring.Counters()
	tell(packetsFigure, float64(p.Classes.Counted), "counted")
	tell(packetsFigure, float64(p.Classes.OtherProtocol), "other_protocol")
	tell(packetsFigure, float64(p.Classes.NotIP), "not_ip")
	tell(packetsFigure, float64(p.Classes.OrphanFragment), "orphan_fragment")
	tell(packetsFigure, float64(p.Classes.Truncated), "truncated")
	tell(packetsFigure, float64(p.Classes.Malformed), "malformed")
	tell(packetsFigure, float64(p.Classes.LeftOut), "left_out")
	tell(bytesFigure, float64(p.Read))
	tell(openFigure, float64(p.Open))
	for reason := range f.ended {
		tell(endedFigure, float64(f.ended[reason].Load()), flowtable.Reason(reason).String())
	}
	tell(rowsFigure, float64(f.out.written()))
	tell(outputFigure, float64(f.out.size()))
	tell(kernelFigure, float64(c.Packets))
	tell(droppedFigure, float64(c.Dropped))
	tell(freezesFigure, float64(c.Freezes))
	tell(largeFigure, float64(c.Large))
	tell(cutFigure, float64(c.Cut))
	tell(missingFigure, float64(c.Missing))
	tell(latestFigure, float64(c.Latest)/1e9)
	tell(lagFigure, c.Lag.Seconds())
	tell(mostLagFigure, c.MaxLag)
	lost := int64(0)
	if r, ok := f.out.(*rotating); ok {
		lost = r.lost.Load()
	}
	tell(lostRowsFigure, float64(lost))
	if f.server != nil {
		served := f.server.tell()
		tell(readersFigure, float64(served.Readers))
		tell(servedFigure, float64(served.Rows))
		tell(unservedFigure, float64(served.Slow), "slow")
		tell(unservedFigure, float64(served.Gone), "gone")
		tell(unservedFigure, float64(served.Unread), "unread")
	}
}

// listenMetrics begins to listen for who asks for metrics.
func listenMetrics(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--metrics: %w", err)
	}
	return listener, nil
}

// serveMetrics serves the figures of a run, and whether it is well.
func serveMetrics(listener net.Listener, of *figures) *http.Server {
	registry := prometheus.NewRegistry()
	registry.MustRegister(of, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, of.pulse.stuck(stuckAfter)) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		var err error
		if n := of.ring.Counters().Missing; n > 0 {
			err = fmt.Errorf("interfaces that are not there or down: %d", n)
		}
		answer(w, err)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	go func() { _ = server.Serve(listener) }()
	return server
}

// answer says that all is well, or what is not.
func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

package engine

// give gives the rows of all tables out.
func (c *crew) give(to Sink) error {
	g := giver{crew: c, to: to, order: newOrder(len(c.owners)), few: fewRows, merger: merger{format: c.late}}
	if c.late != nil {
		g.few = fewLate
	}
	if rows, ok := to.(RowSink); ok {
		g.rows, g.batches = rows, newBatches(rows.Batches(), len(c.workers))
	}
	for range blocksInFlight + len(c.workers) {
		g.spare = append(g.spare, &block{})
	}
	for {
		g.cut()
		if len(g.waiting) == 0 && g.batches == nil {
			if g.order.ended {
				return nil
			}
			if err := to.Flush(); err != nil {
				return err
			}
		}
		if b := g.batches; b != nil {
			if g.order.ended && len(g.waiting) == 0 {
				if b.end(c.encode); len(b.waiting) == 0 {
					return nil
				}
			}
			if len(b.waiting) > 0 && c.isSet(&b.waiting[0].done) {
				if err := b.write(g.unused); err != nil {
					return err
				}
				continue
			}
		}
		if len(g.waiting) > 0 && (g.batches == nil || !g.batches.isFull()) && c.isSet(&g.waiting[0].merged) {
			if err := g.emit(); err != nil {
				return err
			}
			continue
		}
		select {
		case bundle := <-c.came:
			g.order.add(bundle)
		case <-c.done:
		}
	}
}

// A giver is the caller's goroutine at work.
type giver struct {
	*crew
	to      Sink
	rows    RowSink  // to, if that takes rows
	batches *batches // of them; nil for none
	order   *order
	waiting []*block // in order
	spare   []*block
	kept    []*block // used by batches once, to be used again
	few     int      // rows that it merges itself
	merger  merger
}

// cut has blocks of the rows that come next merged.
func (g *giver) cut() {
	for len(g.spare) > 0 && g.order.next(g.spare[len(g.spare)-1], g.drop) {
		b := g.spare[len(g.spare)-1]
		g.spare = g.spare[:len(g.spare)-1]
		g.waiting = append(g.waiting, b)
		if b.rows > g.few {
			g.mu.Lock()
			g.toMerge = append(g.toMerge, b)
			g.noteUrgent()
			g.mu.Unlock()
			g.news.Signal()
			continue
		}
		g.merger.merge(b)
		g.mu.Lock()
		g.finish(b)
		g.mu.Unlock()
	}
}

// emit gives the first block that waits out.
func (g *giver) emit() error {
	b := g.waiting[0]
	g.waiting = g.waiting[:copy(g.waiting, g.waiting[1:])]
	g.flows.Add(int64(b.rows))
	switch {
	case g.batches != nil:
		if g.batches.add(b, g.encode) {
			b = &block{} // in its place
			if n := len(g.kept); n > 0 {
				b, g.kept = g.kept[n-1], g.kept[:n-1]
			}
		}
	case len(b.flows) == 0:
		if err := g.rows.Rows(b.bytes); err != nil {
			return err
		}
	default:
		for _, f := range b.flows {
			if err := g.to.Flow(f); err != nil {
				return err
			}
		}
		for _, s := range b.lists {
			g.drop(s.bundle)
		}
	}
	g.spare = append(g.spare, b)
	return nil
}

// unused takes back a block that batches kept.
func (g *giver) unused(b *block) { g.kept = append(g.kept, b) }

// encode has a batch encoded.
func (c *crew) encode(b *batch) {
	c.mu.Lock()
	c.toEncode = append(c.toEncode, b)
	c.noteUrgent()
	c.mu.Unlock()
	c.news.Signal()
}

// isSet reads what a worker sets with the lock held.
func (c *crew) isSet(done *bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *done
}

// finish notes that a block is merged; the lock is held. Flows stay in their
// bundles until they are given out.
func (c *crew) finish(b *block) {
	b.merged = true
	if len(b.flows) > 0 {
		return
	}
	for _, s := range b.lists {
		c.put(s.bundle)
	}
}

// drop ends a use of a bundle.
func (c *crew) drop(k *bundle) {
	c.mu.Lock()
	c.put(k)
	c.mu.Unlock()
}

// put is drop with the lock held.
func (c *crew) put(k *bundle) {
	if k.uses.Add(-1) == 0 {
		k.owner.free = append(k.owner.free, k)
		c.news.Broadcast()
	}
}

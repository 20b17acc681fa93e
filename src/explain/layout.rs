//! Where the nodes of a drawn program go: in layers from the top, each below all that it reads, with few crossings.
//!
//! The method is that of Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures"
//! (1981): layers by longest path, an invisible node wherever an edge passes a layer, an order within layers by the mean
//! place of neighbours, then coordinates. Nothing here is random, so the same program is drawn the same.

/// Height of a node, and the free height between two layers.
pub(super) const NODE_HEIGHT: f64 = 44.0;
const LAYER_GAP: f64 = 36.0;
/// Width of a node, of an edge that passes by, and the free width between them.
pub(super) const NODE_WIDTH: f64 = 152.0;
const EDGE_WIDTH: f64 = 4.0;
const GAP: f64 = 11.0;
const MARGIN: f64 = 12.0;
/// How often orders and coordinates are improved; more changes little.
const SWEEPS: usize = 12;

/// A drawn program.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// The left upper corner of each node.
    pub(super) nodes: Vec<(f64, f64)>,
    pub(super) edges: Vec<Edge>,
}

/// From a node that is read to one that reads it.
#[derive(Debug, PartialEq)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    /// What the line goes through.
    pub(super) points: Vec<(f64, f64)>,
}

/// A node, or an edge where it passes a layer.
struct Place {
    layer: usize,
    width: f64,
    /// Places in the layer above and in the one below that it is joined with.
    above: Vec<usize>,
    below: Vec<usize>,
    center: f64,
}

/// Places nodes of which each reads those of smaller number that `reads` says.
pub(super) fn layout(reads: &[Vec<usize>]) -> Layout {
    let mut places: Vec<Place> = Vec::new();
    for node in reads {
        let layer = node.iter().filter_map(|&read| places.get(read)).map(|read| read.layer + 1).max().unwrap_or(0);
        places.push(Place { layer, width: NODE_WIDTH, above: Vec::new(), below: Vec::new(), center: 0.0 });
    }
    let edges = join(&mut places, reads);
    let mut layers = vec![Vec::new(); places.iter().map(|place| place.layer + 1).max().unwrap_or(0)];
    for (index, place) in places.iter().enumerate() {
        layers[place.layer].push(index);
    }
    order(&mut places, &mut layers);
    spread(&mut places, &layers);

    let left = places.iter().map(|place| place.center - place.width / 2.0).fold(f64::INFINITY, f64::min);
    let right = places.iter().map(|place| place.center + place.width / 2.0).fold(0.0, f64::max);
    let shift = if left.is_finite() { MARGIN - left } else { MARGIN };
    let top = |layer: usize| MARGIN + layer as f64 * (NODE_HEIGHT + LAYER_GAP);
    let x = |index: usize| places[index].center + shift;
    let line = |(from, to, through): (usize, usize, Vec<usize>)| {
        let mut points = vec![(x(from), top(places[from].layer) + NODE_HEIGHT)];
        for index in through {
            let y = top(places[index].layer);
            points.extend([(x(index), y), (x(index), y + NODE_HEIGHT)]);
        }
        points.push((x(to), top(places[to].layer)));
        Edge { from, to, points }
    };
    Layout {
        width: right + shift + MARGIN,
        height: top(layers.len().max(1) - 1) + NODE_HEIGHT + MARGIN,
        nodes: (0..reads.len()).map(|node| (x(node) - NODE_WIDTH / 2.0, top(places[node].layer))).collect(),
        edges: edges.into_iter().map(line).collect(),
    }
}

/// Joins what is read with what reads it, by way of a new place in every layer between. Answers the edges with these.
fn join(places: &mut Vec<Place>, reads: &[Vec<usize>]) -> Vec<(usize, usize, Vec<usize>)> {
    let mut edges = Vec::new();
    for (to, node) in reads.iter().enumerate() {
        for &from in node.iter().filter(|&&read| read < to) {
            let (mut last, mut through) = (from, Vec::new());
            for layer in places[from].layer + 1..places[to].layer {
                let new = places.len();
                places.push(Place { layer, width: EDGE_WIDTH, above: vec![last], below: Vec::new(), center: 0.0 });
                places[last].below.push(new);
                through.push(new);
                last = new;
            }
            places[last].below.push(to);
            places[to].above.push(last);
            edges.push((from, to, through));
        }
    }
    edges
}

/// Orders each layer by the mean place of what its members are joined with, down and up in turn.
fn order(places: &mut [Place], layers: &mut [Vec<usize>]) {
    let number = |places: &mut [Place], layer: &[usize]| {
        for (order, &index) in layer.iter().enumerate() {
            places[index].center = order as f64;
        }
    };
    layers.iter().for_each(|layer| number(places, layer));
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let turn: Vec<usize> = if down { (0..layers.len()).collect() } else { (0..layers.len()).rev().collect() };
        for layer in turn {
            let key = |&index: &usize| {
                let place = &places[index];
                mean(places, if down { &place.above } else { &place.below }).unwrap_or(place.center)
            };
            let mut keyed: Vec<(f64, usize)> = layers[layer].iter().map(|index| (key(index), *index)).collect();
            keyed.sort_by(|(one, _), (other, _)| one.total_cmp(other));
            layers[layer] = keyed.into_iter().map(|(_, index)| index).collect();
            number(places, &layers[layer]);
        }
    }
}

fn mean(places: &[Place], joined: &[usize]) -> Option<f64> {
    let sum: f64 = joined.iter().map(|&index| places[index].center).sum();
    (!joined.is_empty()).then(|| sum / joined.len() as f64)
}

/// Gives places coordinates: near the mean of what they are joined with, in their order, apart from each other.
fn spread(places: &mut [Place], layers: &[Vec<usize>]) {
    for layer in layers {
        let mut end = 0.0;
        for &index in layer {
            places[index].center = end + places[index].width / 2.0;
            end += places[index].width + GAP;
        }
    }
    for _ in 0..SWEEPS {
        for layer in layers.iter().chain(layers.iter().rev()) {
            let wanted: Vec<f64> = layer
                .iter()
                .map(|&index| {
                    let joined = [&places[index].above[..], &places[index].below[..]].concat();
                    mean(places, &joined).unwrap_or(places[index].center)
                })
                .collect();
            let apart = |one: usize, other: usize| (places[layer[one]].width + places[layer[other]].width) / 2.0 + GAP;
            let (mut from_left, mut from_right) = (wanted.clone(), wanted);
            for at in 1..layer.len() {
                from_left[at] = from_left[at].max(from_left[at - 1] + apart(at - 1, at));
                let at = layer.len() - 1 - at;
                from_right[at] = from_right[at].min(from_right[at + 1] - apart(at, at + 1));
            }
            // Both keep the distances, and so does what lies in the middle of them.
            for (at, &index) in layer.iter().enumerate() {
                places[index].center = (from_left[at] + from_right[at]) / 2.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_lie_below_what_they_read_and_apart() {
        let reads = vec![vec![], vec![0], vec![0], vec![1, 2], vec![0, 3], vec![0]];
        let drawn = layout(&reads);
        for (node, read) in reads.iter().enumerate() {
            assert!(read.iter().all(|&read| drawn.nodes[read].1 + NODE_HEIGHT < drawn.nodes[node].1));
        }
        for (index, one) in drawn.nodes.iter().enumerate() {
            for other in &drawn.nodes[index + 1..] {
                assert!((one.0 - other.0).abs() >= NODE_WIDTH || (one.1 - other.1).abs() >= NODE_HEIGHT, "{drawn:?}");
            }
            assert!(one.0 >= 0.0 && one.0 + NODE_WIDTH <= drawn.width && one.1 + NODE_HEIGHT <= drawn.height);
        }
        assert_eq!(drawn.edges.len(), 7);
        assert_eq!(layout(&reads), drawn);
    }
}

"""The steps that find out which names of an order's objects mean the same object.

An alias statement says that one object is another under a further name; a weak one (a customer's purchase order number,
a bill of lading) counts only while the name has no strong one, and a single candidate of each kind of number. Names are resolved before anything else, as
of the moment: every later step sees each object once, under the name it goes by. Nothing is merged for good, so a
statement taken back, or a second candidate, takes the objects apart again.
"""

from __future__ import annotations

from rules.vocabulary import ALIASES, WEAK_ALIAS, WEAK_DAYS

_MEANT = ", ".join(f"'{relation}'" for relation in ALIASES)
_STATED_BACK = ", ".join(f"'{relation}_of'" for relation in ALIASES)  # as correlate_links.sql writes them

STATEMENTS = """
-- One row: what was last said about a child and a parent as of the moment, an operator's word before any system's.
SELECT
    order_no, child, parent,
    any(child_type) AS child_type, any(child_id) AS child_id, any(parent_type) AS parent_type, any(parent_id) AS parent_id,
    max((startsWith(source, '/tower/'), occurred_at, event_id, ev, retract, CAST(relation AS String))) AS said
FROM case_links FINAL
WHERE order_no IN (SELECT order_no FROM scope)
    AND occurred_at <= {as_of:DateTime64(3, 'UTC')} AND received_at <= {known_at:DateTime64(3, 'UTC')}
    AND (ev, body) NOT IN (SELECT ev, body FROM conflicts)
    AND child NOT IN (SELECT object FROM wide_objects FINAL)
    AND parent NOT IN (SELECT object FROM wide_objects FINAL)
GROUP BY order_no, child, parent
"""

SAME = f"""
-- One row: an alias in force. name is a further name of object; weak: it counts only without another candidate.
SELECT
    order_no, child AS name, parent AS object, child_type AS object_type, child_id AS name_id, parent_id AS object_id,
    said.6 = '{WEAK_ALIAS}' AS weak
FROM judged_statements
WHERE said.5 = 0 AND said.6 IN ({_MEANT})
    AND (NOT weak OR said.2 > {{as_of:DateTime64(3, 'UTC')}} - INTERVAL {WEAK_DAYS} DAY)
"""


CHOSEN = """
-- One row: an alias that counts: every strong one; a weak one whose name has no strong one, and one candidate of that kind
-- of number.
SELECT order_no, name, object, object_type, name_id, object_id
FROM
(
    SELECT
        *,
        countIf(NOT weak) OVER (PARTITION BY order_no, name) AS settled,
        uniqExact(object) OVER (PARTITION BY order_no, name, if(position(object_id, ':') > 0, splitByChar(':', object_id)[1], '')) AS candidates
    FROM judged_same
)
WHERE NOT weak OR (settled = 0 AND candidates = 1)
"""

# Only smaller labels travel, and never straight back, so that the walk ends by itself where there is no circle.
NAMES = """
-- One row: a name that stands for another object of its order. An object goes by a name that is nobody's further name;
-- among several by one without a namespace, then by the first in the alphabet.
WITH RECURSIVE
edges AS
(
    SELECT DISTINCT order_no, pair.1 AS a, pair.2 AS b
    FROM judged_chosen
    ARRAY JOIN [(name, object), (object, name)] AS pair
),
walk AS
(
    SELECT order_no, a AS node, a AS label, toUInt64(0) AS previous, toUInt8(0) AS depth FROM edges
    UNION ALL
    SELECT DISTINCT walk.order_no, edges.b, walk.label, walk.node, toUInt8(walk.depth + 1)
    FROM walk
    INNER JOIN edges ON edges.order_no = walk.order_no AND edges.a = walk.node
    WHERE walk.depth < 24 AND walk.label < edges.b AND edges.b != walk.previous
),
kin AS
(
    SELECT order_no, node, min(label) AS label FROM walk GROUP BY order_no, node
),
nodes AS
(
    SELECT order_no, node, any(object_type) AS object_type, any(id) AS id, max(further) AS further
    FROM
    (
        SELECT order_no, name AS node, CAST(object_type AS String) AS object_type, name_id AS id, 1 AS further FROM judged_chosen
        UNION ALL
        SELECT order_no, object, CAST(object_type AS String), object_id, 0 FROM judged_chosen
    )
    GROUP BY order_no, node
),
heads AS
(
    SELECT kin.order_no AS order_no, kin.label AS label, argMin((nodes.node, nodes.id), (nodes.further, position(nodes.id, ':') > 0, nodes.id)) AS head
    FROM kin
    INNER JOIN nodes ON nodes.order_no = kin.order_no AND nodes.node = kin.node
    GROUP BY kin.order_no, kin.label
)
SELECT
    kin.order_no AS order_no, kin.node AS name, nodes.object_type AS object_type, nodes.id AS name_id,
    heads.head.1 AS target, heads.head.2 AS target_id
FROM kin
INNER JOIN heads ON heads.order_no = kin.order_no AND heads.label = kin.label
INNER JOIN nodes ON nodes.order_no = kin.order_no AND nodes.node = kin.node
WHERE kin.node != heads.head.1
"""

LINKS = f"""
-- One row: a child hangs from a parent as of the moment, both under the names they go by; the latest statement counts.
SELECT
    order_no, child, parent,
    any(child_type) AS child_type, any(child_id) AS child_id, any(parent_type) AS parent_type
FROM
(
    SELECT
        s.order_no AS order_no, ifNull(c.target, s.child) AS child, ifNull(p.target, s.parent) AS parent,
        s.child_type AS child_type, ifNull(c.target_id, s.child_id) AS child_id, s.parent_type AS parent_type,
        s.said AS said
    FROM judged_statements AS s
    LEFT JOIN judged_names AS c ON c.order_no = s.order_no AND c.name = s.child
    LEFT JOIN judged_names AS p ON p.order_no = s.order_no AND p.name = s.parent
    WHERE s.said.6 NOT IN ({_MEANT}, {_STATED_BACK})
)
WHERE child != parent
GROUP BY order_no, child, parent
HAVING max(said).5 = 0
"""

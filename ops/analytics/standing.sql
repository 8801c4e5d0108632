-- Which events stand, for DuckDB over what export_events.py writes. `part` and `pos` say where an
-- event is in its topic: partition and offset.
create or replace table event as
select part, pos, name, event_id, project, key, execution,
       occurred_at::timestamptz as occurred_at, command_id, command_offset, epoch, incarnation, i, n, body
from read_json('events.jsonl', format = 'newline_delimited', columns = {
    part: 'int', pos: 'bigint', name: 'text', event_id: 'text', project: 'text', key: 'text',
    execution: 'text', occurred_at: 'text', command_id: 'text', command_offset: 'bigint',
    epoch: 'bigint', incarnation: 'bigint', i: 'int', n: 'int', body: 'json'
});

-- Who owned a partition, from which offset on: the first claim of each higher epoch.
create or replace view reign as
with claim as (
    select *, max(epoch) over (partition by part order by pos
                               rows between unbounded preceding and 1 preceding) as highest
    from event where name = 'OwnershipClaimed'
)
select part, pos as begins, epoch, incarnation,
       lead(pos, 1, 9223372036854775807) over (partition by part order by pos) as ends
from claim where epoch > coalesce(highest, 0);

create or replace view standing as
with own as (
    -- What the owner of the time wrote, numbered.
    select e.*, r.begins, row_number() over (partition by e.part, r.begins order by e.pos) as place
    from event e join reign r
      on e.part = r.part and e.pos > r.begins and e.pos < r.ends
     and e.epoch = r.epoch and e.incarnation = r.incarnation
    where e.name not in ('OwnershipClaimed', 'StepsStarted', 'OutcomesAdmitted')
), run as (
    -- A decision is whole if its parts stand behind each other.
    select part, begins, command_id, command_offset, place - i as first, min(pos) as pos,
           max(event_id) as event_id
    from own group by part, begins, command_id, command_offset, place - i
    having count(*) = max(n)
), once as (
    -- Of a decision that was appended twice, the first one counts. Commands are decided in their
    -- order; of decisions without a command the ids rise.
    select *, max(case when command_offset >= 0 then command_offset end) over before as decided,
           max(case when command_offset < 0 then event_id end) over before as handed
    from run window before as (partition by part order by pos
                               rows between unbounded preceding and 1 preceding)
)
select own.* exclude (begins, place)
from own join once
  on own.part = once.part and own.begins = once.begins
 and own.command_id = once.command_id and own.place - own.i = once.first
where case when once.command_offset >= 0 then once.command_offset > coalesce(once.decided, -1)
           else once.event_id > coalesce(once.handed, '') end;

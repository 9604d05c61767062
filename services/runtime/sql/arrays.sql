-- arrays: nothing, in each type of array that rows within an answer hold.
select
    null::uuid [] as uuids,
    null::bigint [] as numbers,
    null::text [] as texts;

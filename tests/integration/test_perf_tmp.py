import time, asyncio
from pathlib import Path
import asyncpg, pytest
from tests.integration.test_settlement_store import *
async def test_perf(db, books):
    N=2000
    people=[f"{n:032x}" for n in range(N)]
    tr={p: some_id("t"+p) for p in people}
    def batches(msgs, k=500):
        for i in range(0,len(msgs),k): yield msgs[i:i+k]
    import cProfile, pstats
    prof=cProfile.Profile()
    def phase(name, msgs): return name, msgs
    phases=[
     ("open", [open_account(A, 400+i, person=p, record=some_id("a"+p), name_keys=tuple(f"{i:020x}{k}" for k in range(8))) for i,p in enumerate(people)]+[open_account(B, person=p, record=some_id("b"+p), name_keys=tuple(f"{i:020x}{k}" for k in range(8))) for i,p in enumerate(people)]),
     ("release", [release_funds(tr[p], person=p, opened_at=DAY) for p in people]),
     ("credit", [credit(400+i, tr[p], person=p) for i,p in enumerate(people)]),
     ("instruct", [InstructRemittance(to=A, person=p, transfer=tr[p], destination=B, run="r", amount_fen=400+i) for i,p in enumerate(people)]),
     ("debit", [RecordDebit(to=A, account=f"{A}:expense", bank="expense", receipt=some_id("d"+p), amount_fen=400+i, booked_on=DAY.date(), details=(detail(400+i, tr[p]),)) for i,p in enumerate(people)]),
     ("receipt", [receipt("r"+p, detail(400+i, tr[p], payer_region=A, name_keys=tuple(f"{i:020x}{k}" for k in range(8)))) for i,p in enumerate(people)]),
    ]
    total=0
    from collections import Counter
    cost=Counter()
    def log(rec):
        cost[cur[0], rec.query.strip()[:60]]+=rec.elapsed
    cur=['']
    db.add_query_logger(log)
    said_apply=[]
    from shared.decision import Delivery
    for name,msgs in phases+[("apply",None)]:
        msgs = said_apply if msgs is None else msgs
        tl=td=ts=0; cur[0]=name
        for b in batches(msgs):
            ds=[Delivery(uuid4(), m.key, m, START, START, uuid4()) for m in b]
            tx=db.transaction(); await tx.start()
            t0=time.perf_counter(); states=await books.load(db, ds); t1=time.perf_counter()
            ch={}
            for d in ds:
                dec=books.decide(states,d); states.update(dec.changes); ch.update(dec.changes)
                if name=="receipt": said_apply+= [m for m in dec.out if type(m).__name__=="ApplyReceipt"]
            t2=time.perf_counter(); await books.save(db,ch); t3=time.perf_counter(); await tx.commit(); t4=time.perf_counter()
            tl+=t1-t0; td+=t2-t1; ts+=t4-t2
        total+=tl+td+ts
        print(f"{name}: {len(msgs)} load {tl*1e6/len(msgs):.0f} decide {td*1e6/len(msgs):.0f} save {ts*1e6/len(msgs):.0f} us/msg")
    [print(f"{v*1e6/2000:.0f}us", k) for k,v in cost.most_common(24)]
    print("per transfer us", total/N*1e6)
    assert await balance(db, B, f"advance:{A}")==0
